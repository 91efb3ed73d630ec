"""Makes docs/configuration.md from Config and Limits: every setting, its default and its reason.

python -m scripts.configuration_docs            write the page
python -m scripts.configuration_docs --check    exit 1 where the committed page is another
"""

import ast
import inspect
import sys
from dataclasses import MISSING, Field, fields
from pathlib import Path

from gesta.engine.limits import Limits
from gesta.server.cli.serve import serve
from gesta.server.config import Config

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"
HEAD = """\
# Configuration

Every setting of a server. `python -m scripts.configuration_docs` makes this page from the code: to
change a line, change the docstring below its field. A name ends in its unit, where it has one. What
has an option is set with `gesta serve`; the rest is set by a program that hosts the server itself:

```python
from gesta.engine.limits import Limits
from gesta.server import Config, Server

config = Config(data=":memory:", listen="127.0.0.1:0", limits=Limits(tail_events_max=10_000))
async with Server(config) as server:
    print(server.address)
```
"""


def main() -> None:
    """The command above."""
    if sys.argv[1:] == ["--check"]:
        same = PAGE.read_text(encoding="utf-8") == page()
        sys.exit(
            0
            if same
            else "docs/configuration.md is stale: run python -m scripts.configuration_docs"
        )
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole page. Raises ValueError for a field without a docstring."""
    server = [row for row in rows(Config) if not row.startswith("| `limits`")]
    return "\n".join([HEAD, *_table("The server", server), *_table("The engine", rows(Limits))])


def rows(settings: type[Config] | type[Limits]) -> list[str]:
    """One line of a table for each field: name, default, option, reason."""
    reasons = _docstrings(settings)
    undocumented = [field.name for field in fields(settings) if not reasons.get(field.name)]
    if undocumented:
        raise ValueError(f"no docstring below {settings.__name__}.{undocumented[0]}")
    return [
        f"| `{field.name}` | {_default(field)} | {_option(field.name)} | {reasons[field.name]} |"
        for field in fields(settings)
    ]


def _table(title: str, lines: list[str]) -> list[str]:
    head = ["| setting | default | option | what it is, and why so |", "|---|---|---|---|"]
    return [f"## {title}", "", *head, *lines, ""]


def _docstrings(settings: type) -> dict[str, str]:
    """The strings below the fields: Python drops them, so they are read from the source."""
    body = ast.parse(inspect.getsource(settings)).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for declared, below in zip(body.body, body.body[1:], strict=False):
        if isinstance(declared, ast.AnnAssign) and isinstance(declared.target, ast.Name):
            match below:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    found[declared.target.id] = " ".join(text.split()).replace("|", r"\|")
    return found


def _default(field: "Field[object]") -> str:
    match field.default:
        case value if value is MISSING:
            return "required"
        case None:
            return "none"
        case bool(value):
            return "yes" if value else "no"
        case int(value):
            return f"{value:,}"
        case value:
            return f"`{value}`" if isinstance(value, str) else str(value)


def _option(name: str) -> str:
    """Taken from the command itself, so that the page cannot promise one that is not there."""
    parameter = inspect.signature(serve).parameters.get(name)
    if parameter is None:
        return ""
    keyword = parameter.kind is inspect.Parameter.KEYWORD_ONLY
    return f"`--{name.replace('_', '-')}`" if keyword else f"`{name.upper()}`"


if __name__ == "__main__":
    main()
