"""gallery-dl takes a board of ours for one of vichan, as which it knows by its addresses.

A board of text has no pictures for it to fetch. What this proves: that `threads.json` and `res/<no>.json` stand where
vichan has them and hold what a program reads without asking whether it is there, that each thread of the list leads to
one that can be read, that names of folders come out as they were posted, and that nothing is taken for a picture. What
it does not prove: the text of posts, which this program does not read; `imageboard.test.js` does.
"""

import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from running import LONG, Site

# What stands first in each of its messages.
FOLDER, ANOTHER_PAGE = 2, 6


class GalleryDl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # The opening post of the first thread is a tombstone: it has neither a subject nor a text.
        tombstone = '--- {"no": 1, "at": "2025-03-02T10:20:30Z", "deleted": true}\n\n--- {"no": 2, "at": "2025-03-02"}\nleft\n'
        cls.site = Site(formats="[json, vichan]", write=lambda site: site.write("old/1.md", tombstone))
        cls.addClassCleanup(cls.site.close)
        cls.site.post_all()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        ours = {"root": cls.site.origin, "pattern": re.escape(cls.site.origin.removeprefix("http://"))}
        config = {"extractor": {"vichan": {"ours": ours}, "retries": 0, "proxy-env": False}, "cache": {"file": None}}
        (cls.folder / "config.json").write_text(json.dumps(config))

    def run_it(self, path, *options):
        words = [sys.executable, "-m", "gallery_dl", "--config-ignore", "--config", self.folder / "config.json"]
        words += ["--dest", self.folder / "pictures", *options, self.site.url + path]
        return subprocess.run(words, env={}, capture_output=True, text=True, timeout=LONG)

    def messages(self, path):
        """What it makes of a page."""
        done = self.run_it(path, "--dump-json")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return json.loads(done.stdout)

    def test_a_thread(self):
        for board, no, title in [
            ("talk", 1, 'Clients & <readers> of "boards"'),
            ("talk", 12, ">>2 there, >>>/side/1 elsewhere, >>>/side/ as a wh"),
            ("side", 1, "the first of another board"),
            ("old", 1, ""),
        ]:
            with self.subTest(board=board, no=no):
                [[kind, known]] = self.messages(f"{board}/res/{no}.html")
                self.assertEqual((kind, known["board"], known["thread"], known["title"]), (FOLDER, board, str(no), title))

    def test_a_board_leads_to_its_threads(self):
        listed = self.messages("talk/")
        self.assertEqual({message[0] for message in listed}, {ANOTHER_PAGE})
        known = [(address, thread["no"], thread["page"], thread["replies"]) for _, address, thread in listed]
        address = lambda no: f"{self.site.url}talk/res/{no}.html"
        self.assertEqual(known, [(address(14), 14, 1, 0), (address(12), 12, 1, 1), (address(1), 1, 2, 10)])
        # The pages themselves are there too, for people.
        for address, *_ in known:
            status, headers, body = self.site.get(address.removeprefix(self.site.url))
            self.assertEqual((status, headers["content-type"]), (200, "text/html; charset=utf-8"))
            self.assertEqual(body, self.site.get(address.removeprefix(self.site.url).replace("/res/", "/thread/"))[2])

    def test_all_of_a_board_is_read_and_nothing_fetched(self):
        done = self.run_it("talk/")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertFalse((self.folder / "pictures").exists())

    def test_what_is_not_there_is_told(self):
        done = self.run_it("talk/res/99.html")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("404 Not Found", done.stderr)
