"""What a command id stands for: sixteen bytes over everything that was asked."""

from hashlib import blake2b

import msgspec

from gesta.domain.aggregate import AggregateType
from gesta.domain.codec import malformed
from gesta.domain.errors import InvalidArgument

FINGERPRINT_BYTES = 16

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(order="sorted").encode


def fingerprint(
    aggregate_type: AggregateType, aggregate_id: str, command: str, arguments: bytes
) -> bytes:
    """Equal for equal questions, however the caller orders keys or writes white space.

    Taken over what was sent, before defaults: a new default does not make an old command id
    another command's. `command` is its name. Raises InvalidArgument for what is not JSON.
    """
    try:
        sorted_arguments = _encode(_decode(arguments)) if arguments else b"{}"
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidArgument("", malformed(error).detail) from error
    # NUL cannot occur in a name or an id, so no two questions run together into one text.
    asked = f"{aggregate_type.name}\0{aggregate_id}\0{command}\0".encode() + sorted_arguments
    return blake2b(asked, digest_size=FINGERPRINT_BYTES).digest()
