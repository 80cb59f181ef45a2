"""Linking: from the facts of modules to where every error of every API call ends."""

from typing import TYPE_CHECKING

from openai_lint.link.deep import run_deep
from openai_lint.link.engine import Engine
from openai_lint.link.project import ApiCall, Project

if TYPE_CHECKING:
    from openai_lint.files import Workspace

__all__ = ["ApiCall", "Project", "link"]


def link(workspace: "Workspace") -> Project:
    """Link all files of a workspace that can matter."""
    return run_deep(lambda: _link(workspace))


def _link(workspace: "Workspace") -> Project:
    from openai_lint.link.releases import Releases

    releases = Releases(workspace)
    engine = Engine(workspace, releases)
    engine.solve()
    project = Project(engine, workspace)
    # The last reader of the cells: everything behind it is plain data.
    releases.explain((call.module.path, call.site.era) for call in project.calls)
    return project
