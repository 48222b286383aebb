"""feedparser reads every feed of the demo site, of what `posts.json` posts, and of hostile posts."""

import calendar
import html
import json
import re
import unittest
from datetime import datetime
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin

import feedparser

import atom_rules
from running import SAMPLES, Site, posts

# Where the site says that it stands. Nobody asks there: tests read the same paths from this machine.
BASE_URL = "https://board.example/under/"

NASTY = [
    "]]> and ]]&gt; and <![CDATA[ and -->",
    "\x01\x08\x0b\x0c\x1f\x7f\x85 \ufffe\uffff \ufffd end",
    "&amp; &#0; &#x1F; &nbsp; &bogus; <b>&",
    "\U0001f980 \U000e0001 \u2028 \u2029 \ufeff a\u0301\u0323",
    "href=\"#p1\" href=\"/x\" <a href=\"#p1\">",
    ">>1 >>>/hostile/1 >>>/hostile/ >>>/none/9",
    "[aa]\n ]]> <\n  \\ & \"\n[/aa]",
    "```\n]]>\n\x02\n```",
]


def hostile():
    """Texts that have broken other programs."""
    if not (SAMPLES / "xss").is_dir():
        print(f"sample data absent at {SAMPLES}: set NEJIBOARD_SAMPLES")
        return NASTY
    texts = []
    for file in sorted((SAMPLES / "xss").iterdir()):
        text = file.read_text("utf-8")
        texts += [one["payload"] for one in json.loads(text)] if file.suffix == ".json" else text.splitlines()
    return NASTY + [text for text in texts if text.strip()]


def write_hostile(site):
    """Threads of hostile posts, each as short as its feed."""
    texts = hostile()
    site.write("hostile/board.yaml", "title: '<b>&'\ndescription: ']]> & \"x\"'\n")
    for first in range(0, len(texts), 50):
        thread = ""
        for no, text in enumerate(texts[first : first + 50], first + 1):
            line = " ".join(text.split())
            head = {"no": no, "at": "2025-03-02T10:20:30Z", "name": line[:60], "subject": line[:100]}
            # A line that looks like the head of a post bears a backslash more.
            body = re.sub(r"^(\\*--- \{)", r"\\\1", text, flags=re.M)
            thread += f"--- {json.dumps(head)}\n{body}\n\n"
        site.write(f"hostile/{first + 1}.md", thread)


class Body(HTMLParser):
    """What stands in a piece of a page: tags with their attributes, and text."""

    def __init__(self, text, base):
        super().__init__(convert_charrefs=True)
        self.base, self.parts = base, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        whole = lambda name, value: urljoin(self.base, value) if name == "href" else value
        self.parts.append((tag, [(name, whole(name, value)) for name, value in attributes]))

    def handle_endtag(self, tag):
        self.parts.append("/" + tag)

    def handle_data(self, data):
        self.parts.append(data)


def sayable(text):
    """A text without the characters that XML has no way to say."""
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", text)


class Feeds(unittest.TestCase):
    """Checks that all feeds of a site are right, and say what its pages say."""

    def open(self, **how):
        site = Site(BASE_URL, **how)
        self.addCleanup(site.close)
        return site

    def paths(self, site):
        """All feeds of a site."""
        public = site.dir / "public"
        found = [*public.glob("feed.xml"), *public.glob("*/feed.xml"), *public.glob("*/thread/*.xml")]
        return sorted(str(path.relative_to(public)) for path in found)

    def read(self, site, path):
        """A feed as its readers get it."""
        status, headers, body = site.get(path)
        # A file server knows no more of a file than its ending, and readers take this for a feed as well.
        self.assertEqual((status, headers["content-type"]), (200, "application/xml; charset=utf-8"), path)
        self.assertEqual(atom_rules.faults(body, BASE_URL + path), [], path)
        # Without its own repairs, so that nothing of ours is mended before it is looked at.
        known = feedparser.parse(
            body,
            response_headers={"content-type": headers["content-type"], "content-location": BASE_URL + path},
            resolve_relative_uris=False,
            sanitize_html=False,
        )
        self.assertFalse(known.bozo, f"{path}: {known.get('bozo_exception')}")
        self.assertEqual((known.version, known.encoding), ("atom10", "utf-8"), path)
        return known

    def page(self, site, address):
        """A page at an address that a feed names."""
        self.assertTrue(address.startswith(BASE_URL), address)
        status, _, body = site.get(address.removeprefix(BASE_URL))
        self.assertEqual(status, 200, address)
        return body.decode()

    def check_all(self, site):
        """Looks at each feed and each of its entries, and gives the ids."""
        ids, pages = {}, {}
        for path in self.paths(site):
            known = self.read(site, path)
            if known.feed.link not in pages:
                pages[known.feed.link] = self.page(site, known.feed.link)
            own = rf'<link rel="alternate" type="application/atom\+xml" title="[^"]*" href="/under/{re.escape(path)}">'
            self.assertRegex(pages[known.feed.link], own, "the page of a feed leads to it")
            ids[path] = [known.feed.id] + [entry.id for entry in known.entries]
            for entry in known.entries:
                with self.subTest(feed=path, entry=entry.id):
                    self.check_entry(site, entry, pages)
        return ids

    def check_entry(self, site, entry, pages):
        address, anchor = urldefrag(entry.link)
        if address not in pages:
            pages[address] = self.page(site, address)
        post = re.search(rf'<article [^>]*id="{anchor}".*?</article>', pages[address], re.S)[0]
        body = re.search(r'<div class="body"[^>]*>(.*?)</div>', post, re.S)
        [content] = entry.content
        self.assertEqual(content.type, "text/html")
        # This reader takes away the white space at both ends.
        wanted = Body(sayable(body[1]).strip(), address).parts
        self.assertEqual(Body(content.value.strip(), address).parts, wanted)
        time = re.search(r'<time datetime="([^"]*)"', post)[1]
        self.assertEqual((entry.published, entry.updated), (time, time))
        seconds = datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()
        self.assertEqual([calendar.timegm(parsed) for parsed in (entry.published_parsed, entry.updated_parsed)], [seconds] * 2)
        for part in ("name", "trip"):
            shown = re.search(rf'class="{part}"[^>]*>([^<]*)<', post)
            self.assertIn(sayable(html.unescape(shown[1])).strip() if shown else "", entry.author)


class TheDemoSite(Feeds):
    def test_all_feeds(self):
        site = self.open(copy_demo=True)
        ids = self.check_all(site)
        # One of the site, one of each board, one of each thread.
        content = site.dir / "content"
        threads = sorted(path.relative_to(content).with_suffix("").parts for path in content.glob("*/*.md"))
        wanted = ["feed.xml"] + [f"{board}/thread/{no}.xml" for board, no in threads]
        wanted += [f"{board}/feed.xml" for board in {board for board, _ in threads}]
        self.assertEqual(sorted(ids), sorted(wanted))
        self.assertEqual(len(ids["feed.xml"]), 1 + len(threads), "all threads are new ones")


class HostilePosts(Feeds):
    def test_all_feeds(self):
        site = self.open(write=write_hostile)
        ids = self.check_all(site)
        threads = [entries for path, entries in ids.items() if path.startswith("hostile/thread/")]
        self.assertEqual(sum(len(entries) - 1 for entries in threads), len(hostile()), "every post is an entry")


class WhatWasPosted(Feeds):
    def test_field_by_field(self):
        site = self.open()
        site.post_all()
        self.check_all(site)
        for board in posts()["boards"]:
            for no, wanted in site.wanted(board).items():
                # The newest first.
                known = self.read(site, f"{board}/thread/{no}.xml").entries[::-1]
                self.assertEqual([entry.id for entry in known], [self.id(board, want["no"]) for want in wanted])
                for entry, want in zip(known, wanted):
                    with self.subTest(board=board, no=want["no"]):
                        self.compare(entry, want)

    def id(self, board, no):
        return f"tag:board.example,2026:{board}/{no}"

    def compare(self, entry, want):
        self.assertEqual(entry.author, " ".join(filter(None, [want["name"], want.get("trip")])))
        if "sub" in want:
            # What is not HTML is not to be taken for it.
            self.assertEqual((entry.title, entry.title_detail.type), (want["sub"], "text/plain"))
        # Feeds have lists and art as pages do; the JSON of 4chan, which `want` tells, has them simpler.
        text = re.sub("</(li|pre)>", "\n", re.sub("<br>|<[uo]l[^>]*>", "\n", entry.content[0].value))
        plain = html.unescape(re.sub("<[^>]*>", "", text))
        words = lambda text: [word for word in text.split() if not re.fullmatch(r"-|\d+\.", word)]
        self.assertEqual(words(plain), words(want["text"]))

    def test_ids_are_the_same_whatever_comes(self):
        site = self.open()
        site.post_all()
        before = self.check_all(site)
        everywhere = [id for ids in before.values() for id in ids[1:]]
        # The same post has the same id in each feed, and no two posts have one.
        self.assertEqual(len(set(everywhere)), len(posts()["posts"]))
        no = site.post(board="talk", thread=12, body="a further reply")
        new = site.post(board="side", body="a further thread")
        site.stop()
        site.run("verify")
        site.start()
        after = self.check_all(site)
        expected = {path: list(ids) for path, ids in before.items()}
        expected["talk/thread/12.xml"].insert(1, self.id("talk", no))
        expected["side/feed.xml"].insert(1, self.id("side", new))
        expected["feed.xml"].insert(1, self.id("side", new))
        expected[f"side/thread/{new}.xml"] = [f"tag:board.example,2026:side/thread/{new}", self.id("side", new)]
        self.assertEqual(after, expected)

    def test_a_feed_that_has_not_changed_is_not_sent_again(self):
        site = self.open()
        site.post_all()
        site.calm("talk/feed.xml")
        _, headers, _ = site.get("talk/feed.xml")
        for name, header in [("If-None-Match", "etag"), ("If-Modified-Since", "last-modified")]:
            self.assertEqual(site.get("talk/feed.xml", {name: headers[header]})[0], 304)
        # A reply starts no thread, so whoever reads the feed of the board is not told.
        site.post(board="talk", thread=1, body="no thread")
        self.assertEqual(site.get("talk/feed.xml", {"If-None-Match": headers["etag"]})[0], 304)
        site.post(board="talk", body="a thread")
        self.assertEqual(site.get("talk/feed.xml", {"If-None-Match": headers["etag"]})[0], 200)


class TheRulesThemselves(Feeds):
    """A feed with one thing spoilt at a time: each is found."""

    def test_each_fault_is_found(self):
        site = self.open()
        site.post_all()
        _, _, right = site.get("talk/thread/12.xml")
        right = right.decode()
        for there, instead, fault in [
            ("</feed>", "", "not well-formed"),
            ("]]></content>", "</content>", "closes nothing"),
            ("<title>", "<title>\x0b", "not well-formed"),
            ("<generator>", "<generator xmlns='urn:x'>", "a strange element"),
            (' xml:lang="en"', "", "no language"),
            ("<updated>2", "<updated>x2", "bad time"),
            ("rel=\"self\" ", "rel=\"me\" ", "has the links"),
            ("under/talk/thread/12.xml", "talk/thread/12.xml", "calls itself"),
            (":talk/13</id>", ":talk/12</id>", "2 times"),
            ("<id>tag:", "<id>", "bad id"),
            ("<published>", "<updated>2026-01-01T00:00:00Z</updated><published>", "2 of updated"),
            ("<name>Anonymous", "<name>", "by nobody"),
            ("<![CDATA[", "<![CDATA[<img src='https://x.example/'>", "holds <img>"),
            ("<![CDATA[", "<![CDATA[<br onclick='x'>", "attribute onclick"),
            ("<![CDATA[", "<![CDATA[<a href='#p1'>x</a>", "relative address"),
            ("<![CDATA[", "<![CDATA[<s>", "not closed"),
        ]:
            with self.subTest(fault, there=there):
                self.assertIn(there, right)
                spoilt = right.replace(there, instead, 1).encode()
                found = atom_rules.faults(spoilt, BASE_URL + "talk/thread/12.xml")
                self.assertTrue(any(fault in one for one in found), found)
