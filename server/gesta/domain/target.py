"""Finding aggregates: a module, one attribute of it, a file or a directory."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

from gesta.domain.aggregate import aggregate_type_of
from gesta.domain.errors import DefinitionError, TargetError


def load_aggregates(target: str) -> list[type]:
    """The aggregate classes there, in the order of definition. Raises TargetError when none."""
    place, _, attribute = target.partition(":")
    path = Path(place)
    if place.endswith(".py") or path.is_dir():
        module = _import(target, *_file_module(target, path.resolve()))
    else:
        module = _import(target, place, Path.cwd())
    if attribute:
        return _attribute(target, module, attribute)
    found = [each for each in vars(module).values() if aggregate_type_of(each) is not None]
    if not found:
        raise TargetError(target, f"module {module.__name__} defines or imports no @aggregate")
    return list(dict.fromkeys(found))


def _file_module(target: str, path: Path) -> tuple[str, Path]:
    """The dotted name of a file or package, and the directory it is imported from."""
    if path.is_dir() and not (path / "__init__.py").is_file():
        raise TargetError(target, "the directory is no package: it has no __init__.py")
    if not path.exists():
        raise TargetError(target, "there is no such file")
    names = [path.stem if path.suffix == ".py" else path.name]
    root = path.parent
    while (root / "__init__.py").is_file():
        names.insert(0, root.name)
        root = root.parent
    return ".".join(names), root


def _import(target: str, name: str, root: Path) -> ModuleType:
    # A console script does not have the working directory on its path, `python -m` does; the
    # same target must mean the same under both.
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    try:
        module = importlib.import_module(name)
    except (DefinitionError, TargetError):
        raise
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name == missing or name.startswith(missing + "."):
            raise TargetError(target, f"there is no module {name!r}") from error
        raise TargetError(target, f"importing it failed: {error}") from error
    except Exception as error:  # the author's module may raise anything
        raise TargetError(target, f"importing it failed: {error!r}") from error
    file = getattr(module, "__file__", None)
    if target.partition(":")[0].endswith(".py") and not _is_file(file, target):
        raise TargetError(target, f"a module {name!r} from {file} is imported already; rename it")
    return module


def _is_file(file: str | None, target: str) -> bool:
    return file is not None and Path(file).resolve() == Path(target.partition(":")[0]).resolve()


def _attribute(target: str, module: ModuleType, attribute: str) -> list[type]:
    value = getattr(module, attribute, None)
    if value is None:
        raise TargetError(target, f"module {module.__name__} has no {attribute!r}")
    if aggregate_type_of(value) is None:
        raise TargetError(target, f"{attribute!r} is not an @aggregate")
    return [value]
