"""Fixes: rewrites become edits, edits become bytes, bytes are written. Only this room and ``extract`` know libcst."""
