"""The rules of Atom (RFC 4287) and of feed validators, as far as they can be checked without asking anybody."""

import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from urllib.parse import urlsplit

ATOM = "{http://www.w3.org/2005/Atom}"

# RFC 3339, in the capitals that RFC 4287 asks for.
TIME = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ")
# RFC 4151, of a host in lower case.
TAG = re.compile(r"tag:[a-z0-9]([a-z0-9.-]*[a-z0-9])?,\d{4}(-\d\d(-\d\d)?)?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]+")
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")

FEED_ONCE = ["id", "title", "updated", "generator"]
ENTRY_ONCE = ["id", "title", "published", "updated", "author", "content"]
# All that a post can hold: see docs/markup.md.
ELEMENTS = {"a", "br", "code", "em", "li", "ol", "pre", "s", "span", "strong", "ul"}


class Html(HTMLParser):
    """The content of an entry: its elements, its addresses and its text."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.addresses, self.text, self.faults, self.open = set(), [], "", [], []
        self.feed(text)
        self.close()
        if self.open:
            self.faults.append(f"not closed: {self.open}")

    def handle_starttag(self, tag, attributes):
        self.elements.add(tag)
        self.addresses += [value for name, value in attributes if name in ("href", "src", "cite")]
        self.faults += [f"attribute {name}" for name, _ in attributes if name.startswith("on") or name == "style"]
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        self.faults.append(f"comment {data}")

    handle_decl = handle_pi = unknown_decl = handle_comment


def faults(document, address):
    """What is wrong with a feed that is to be found at `address`; `document` is its bytes."""
    try:
        # Python reads XML with expat, which takes nothing that is not well-formed.
        feed = ElementTree.fromstring(document)
    except ElementTree.ParseError as error:
        return [f"not well-formed: {error}"]
    found = [] if feed.tag == ATOM + "feed" else [f"the root is {feed.tag}"]
    found += strange_elements(feed)
    found += of_element(feed, "feed", FEED_ONCE)
    if not LANGUAGE.fullmatch(feed.get("{http://www.w3.org/XML/1998/namespace}lang", "")):
        found.append("no language")
    found += of_links(feed, "feed", {"self": "application/atom+xml", "alternate": "text/html"})
    itself = [link.get("href") for link in feed.findall(ATOM + "link") if link.get("rel") == "self"]
    if itself != [address]:
        found.append(f"it calls itself {itself} and is at {address}")
    entries = feed.findall(ATOM + "entry")
    ids = [feed.findtext(ATOM + "id")] + [entry.findtext(ATOM + "id") for entry in entries]
    found += [f"the id {id} stands there {ids.count(id)} times" for id in sorted(set(ids)) if 1 < ids.count(id)]
    found += [fault for entry in entries for fault in of_entry(entry)]
    if feed[len(feed) - len(entries) :] != entries:
        found.append("something of the feed stands behind its entries")
    return found


def strange_elements(feed):
    return [f"a strange element {element.tag}" for element in feed.iter() if not element.tag.startswith(ATOM)]


def of_element(element, name, once):
    """What holds of feeds and entries alike."""
    found = []
    for child in once:
        times = len(element.findall(ATOM + child))
        if times != 1:
            found.append(f"{name} has {times} of {child}")
    id = element.findtext(ATOM + "id", "")
    if not TAG.fullmatch(id):
        found.append(f"{name} has a bad id {id!r}")
    for child in ("updated", "published"):
        for time in element.findall(ATOM + child):
            if not TIME.fullmatch(time.text or ""):
                found.append(f"{name} has a bad time {time.text!r}")
    return found


def of_links(element, name, wanted):
    links = [(link.get("rel"), link.get("type")) for link in element.findall(ATOM + "link")]
    found = [] if sorted(links) == sorted(wanted.items()) else [f"{name} has the links {links}"]
    for link in element.findall(ATOM + "link"):
        found += of_address(link.get("href", ""), name)
    return found


def of_address(address, where):
    parts = urlsplit(address)
    is_whole = parts.scheme in ("http", "https") and parts.netloc and not re.search(r"[\s<>\"]", address)
    return [] if is_whole else [f"{where} has a bad address {address!r}"]


def of_entry(entry):
    name = entry.findtext(ATOM + "id", "an entry without id")
    found = of_element(entry, name, ENTRY_ONCE)
    found += of_links(entry, name, {"alternate": "text/html"})
    authors = [author.findtext(ATOM + "name", "") for author in entry.findall(ATOM + "author")]
    found += [f"{name} is by nobody" for author in authors if not author.strip()]
    if entry.findtext(ATOM + "updated", "") < entry.findtext(ATOM + "published", ""):
        found.append(f"{name} was changed before it was published")
    for content in entry.findall(ATOM + "content"):
        if content.get("type") != "html" or len(content):
            found.append(f"{name} has content of another kind")
        html = Html(content.text or "")
        found += [f"{name}: {fault}" for fault in html.faults]
        found += [f"{name} holds <{element}>" for element in sorted(html.elements - ELEMENTS)]
        found += [fault for address in html.addresses for fault in of_relative(address, name)]
    return found


def of_relative(address, name):
    # Whoever posts may name an odd host, but not one that a reader would look for on its own.
    return [] if re.match("https?://.", address) else [f"{name} has a relative address {address!r}"]
