"""Everything this room raises. Fields first; the text is made from them.

    DomainError
    ├── DefinitionError          what, where: an aggregate that cannot be hosted, found at import
    ├── TargetError              target, detail: nothing to host was found there
    ├── Malformed                field, detail: bytes that do not fit a type
    ├── InvalidArgument          field, detail: the caller's mistake
    ├── UnreadableEvent          event_type, schema_version: today's code cannot read it
    │   ├── UnknownEvent         the aggregate has no such event, or cannot read that version
    │   ├── UndecodableEvent     field, detail: the payload does not fit the event's class
    │   └── UpcastFailed         upcaster, cause: an upcaster has a bug
    ├── Unserialisable           what, detail: a value that JSON would not give back unchanged
    ├── ForeignEvent             aggregate_type, event_class: not one of the aggregate's events
    ├── LimitExceeded            limit, value: a decision larger than a decision may be
    └── HandlerFailed            cause: a bug in the aggregate's code

`Rejected` is not in the tree: the domain saying no is an answer, not an error of ours. An author
raises it; it lives in `rejection.py`.
"""


class DomainError(Exception):
    """Base of all."""


class DefinitionError(DomainError):
    """An event, command or aggregate that cannot be part of a contract. Raised at import.

    `where` names the place as the author wrote it, for example "BankAccount.deposit(amount)".
    """

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where = where
        self.what = what


class TargetError(DomainError):
    """A module, attribute or path from which no aggregate could be loaded."""

    def __init__(self, target: str, detail: str) -> None:
        super().__init__(f"cannot load {target!r}: {detail}")
        self.target = target
        self.detail = detail


class Malformed(DomainError):
    """Bytes that do not fit a type. `field` is a path such as "items[2].price", "" for the whole.

    Arguments and events raise it as InvalidArgument and UndecodableEvent; replies and states as it
    is, for there the two sides run different code.
    """

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}" if field else detail)
        self.field = field
        self.detail = detail


class InvalidArgument(DomainError):
    """Arguments that do not fit the signature. `field` as in Malformed."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}" if field else detail)
        self.field = field
        self.detail = detail


class UnreadableEvent(DomainError):
    """Base: an event, perhaps stored long ago, that the code of today cannot read."""

    def __init__(self, event_type: str, schema_version: int, detail: str) -> None:
        super().__init__(f"event {event_type!r} version {schema_version}: {detail}")
        self.event_type = event_type
        self.schema_version = schema_version
        self.detail = detail


class UnknownEvent(UnreadableEvent):
    """No class of the aggregate has this name and schema version, and no upcaster reads it."""


class UndecodableEvent(UnreadableEvent):
    """The payload does not fit the class. `field` as in Malformed."""

    def __init__(self, event_type: str, schema_version: int, field: str, detail: str) -> None:
        super().__init__(event_type, schema_version, f"{field}: {detail}" if field else detail)
        self.field = field


class UpcastFailed(UnreadableEvent):
    """An upcaster raised, or gave what does not fit; `cause` is what it raised, or what we found.

    `upcaster` is the function's module and name. Like HandlerFailed's, the text is for the log.
    """

    def __init__(
        self, event_type: str, schema_version: int, upcaster: str, cause: Exception
    ) -> None:
        detail = f"the upcaster {upcaster}: {type(cause).__name__}: {cause}"
        super().__init__(event_type, schema_version, detail)
        self.upcaster = upcaster
        self.cause = cause


class Unserialisable(DomainError):
    """A value of the author's that decode(encode(value)) does not give back."""

    def __init__(self, what: str, detail: str) -> None:
        super().__init__(f"{what} does not survive its encoding: {detail}")
        self.what = what
        self.detail = detail


class ForeignEvent(DomainError):
    """An object that is not an event of this aggregate, or not one this command declares."""

    def __init__(self, aggregate_type: str, event: object) -> None:
        if isinstance(event, type):
            text = f"{event.__qualname__} is a class, not an event; write {event.__qualname__}(...)"
        else:
            text = f"{type(event).__qualname__} is not an event of {aggregate_type} here"
        super().__init__(text)
        self.aggregate_type = aggregate_type
        self.event_class = type(event)


class LimitExceeded(DomainError):
    """A decision met a limit; nothing of it may be used. `value` is the limit's, not what was met.

    `limit` is the name of a field of DecisionLimits.
    """

    def __init__(self, limit: str, value: int) -> None:
        super().__init__(f"the decision exceeds {limit} = {value}")
        self.limit = limit
        self.value = value


class HandlerFailed(DomainError):
    """The aggregate's code has a bug; `cause` is what it raised, or what we found.

    Its text is for the server's log. It may quote the author's data, so it never goes to a caller.
    """

    def __init__(self, where: str, cause: Exception) -> None:
        super().__init__(f"{where}: {type(cause).__name__}: {cause}")
        self.where = where
        self.cause = cause
