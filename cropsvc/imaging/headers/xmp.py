"""XMP packets: read without trusting them, and written (ISO 16684-1)."""

from collections.abc import Mapping
from xml.etree import ElementTree
from xml.parsers import expat

UTF16 = (b"\xff\xfe", b"\xfe\xff", b"\0<", b"<\0")
LARGEST = 512 * 1024  # bytes of a packet that are parsed
START = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
)
END = '</rdf:RDF></x:xmpmeta>\n<?xpacket end="r"?>'


def parsed(packet: bytes) -> ElementTree.Element | None:
    """Return a packet's root; None for an empty or a huge one.

    Raises ValueError at a doctype, and what the parser raises at broken XML.
    """
    if packet[:2] not in UTF16:
        packet = packet.strip(b"\0 \r\n")
    if not packet or len(packet) > LARGEST:
        return None
    _refuse_doctype(packet)
    return ElementTree.fromstring(packet)  # noqa: S314 - without a doctype there are no entities


def _refuse_doctype(packet: bytes) -> None:
    """Raise ValueError at a doctype, in whatever encoding: it may define entities."""

    def refuse(*_: object) -> None:
        raise ValueError("a doctype")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(packet, True)


def description(namespaces: Mapping[str, str], content: str, attributes: str = "") -> str:
    """Return one description: *content* and *attributes* are XML, with these prefixes."""
    names = "".join(f' xmlns:{prefix}="{name}"' for prefix, name in namespaces.items())
    return f'<rdf:Description rdf:about=""{names}{attributes}>{content}</rdf:Description>'


def packet(descriptions: str) -> bytes:
    """Return a packet of descriptions."""
    return f"{START}{descriptions}{END}".encode()
