"""BASC-py4chan, which knows nothing but 4chan, reads a board of ours: all that was posted, and what moderators do."""

import html
import sys
import time
import unittest

import basc_py4chan

from running import Site, next_second

# A site below a path, so that nobody takes the root of the host for the site.
BASE_URL = "/under/"

# Those of its modules that make addresses. `basc_py4chan.board` itself is a class.
MODULES = [sys.modules[f"basc_py4chan.{name}"] for name in ("board", "file", "post", "thread")]
FourChanUrl = basc_py4chan.Url


class Client:
    """The client, led to a site. Its classes make addresses with `Url`, which it says is to be replaced for other hosts."""

    def __init__(self, site):
        class Url(FourChanUrl):
            def __init__(self, board_name, https=False):
                super().__init__(board_name, https)
                root = site.url.rstrip("/")
                for addresses in (self.URL["listing"], self.URL["api"]):
                    for name, address in addresses.items():
                        addresses[name] = address.replace("http://a.4cdn.org", root)
                self.URL["http"]["thread"] = root + "/{board}/thread/{thread_id}.html"

        for module in MODULES:
            module.Url = Url
        # It keeps what it knows of boards for the whole process.
        MODULES[0]._metadata.clear()

    def boards(self):
        return {board.name: board for board in basc_py4chan.get_all_boards()}

    def board(self, name="talk"):
        return basc_py4chan.Board(name)


class EverythingIsReadBack(unittest.TestCase):
    """Nothing changes here, so that the tests share a site."""

    @classmethod
    def setUpClass(cls):
        cls.began = int(time.time())
        cls.site = Site(BASE_URL)
        cls.addClassCleanup(cls.site.close)
        cls.site.post_all()
        cls.client = Client(cls.site)

    def test_boards(self):
        boards = self.client.boards()
        self.assertEqual(list(boards), ["side", "talk"])
        known = {name: (board.title, board.threads_per_page, board.page_count) for name, board in boards.items()}
        self.assertEqual(known, {"side": ("Side", 10, 10), "talk": ("Talk & <more>", 2, 10)})
        self.assertTrue(all(board.is_worksafe for board in boards.values()))

    def test_lists_of_threads(self):
        board = self.client.board()
        self.assertEqual(board.get_all_thread_ids(), [14, 12, 1])
        shown = lambda threads: [(thread.id, [post.no for post in thread.posts]) for thread in threads]
        self.assertEqual(shown(board.get_threads(1)), [(14, [14]), (12, [12, 13])])
        self.assertEqual(shown(board.get_threads(2)), [(1, [1, 10, 11])])
        catalog = self.client.board().get_all_threads()
        self.assertEqual(shown(catalog), [(14, [14]), (12, [12, 13]), (1, [1, 10, 11])])
        counts = [(thread.num_replies, thread.omitted_posts, thread.num_images, thread.omitted_images) for thread in catalog]
        self.assertEqual(counts, [(0, 0, 0, 0), (1, 0, 0, 0), (10, 8, 0, 0)])
        # What was left out comes with the thread itself.
        self.assertEqual([post.no for post in catalog[2].all_posts], list(range(1, 12)))
        # It takes a thread without replies for none, since that has no length.
        whole = {thread.id: len(thread.posts) for thread in self.client.board().get_all_threads(expand=True)}
        self.assertEqual(whole, {12: 2, 1: 11})

    def test_posts_field_by_field(self):
        for name in ("talk", "side"):
            board = self.client.board(name)
            for no, wanted in self.site.wanted(name).items():
                thread = board.get_thread(no, raise_404=True)
                self.assertEqual([post.no for post in thread.posts], [want["no"] for want in wanted])
                for post, want in zip(thread.posts, wanted):
                    with self.subTest(board=name, no=post.no):
                        self.compare(post, want, thread)

    def compare(self, post, want, thread):
        self.assertEqual(html_unescaped(post.name), want["name"])
        self.assertEqual(post.tripcode, want.get("trip"))
        self.assertEqual(html_unescaped(post.subject), want.get("sub"))
        self.assertEqual(post.html_comment.replace(f'href="{BASE_URL}', 'href="/'), want["html"])
        # This client takes what looks like a tag for one, even if it was posted as text.
        if "<" not in want["text"]:
            self.assertEqual(post.text_comment, want["text"])
        self.assertLessEqual(self.began, post.timestamp)
        self.assertLessEqual(post.timestamp, time.time())
        self.assertEqual(post.is_op, post is thread.topic)
        self.assertEqual(post.url, f"{self.site.url}{thread._board.name}/thread/{thread.id}.html#p{post.no}")
        # Nothing private, and no pictures.
        self.assertEqual((post.email, post.poster_id, post.has_file), (None, None, False))

    def test_a_thread_has_words_in_its_address(self):
        thread = self.client.board().get_thread(1)
        self.assertEqual(thread.semantic_slug, "clients-readers-of-boards")

    def test_what_is_not_there(self):
        board = self.client.board()
        self.assertIsNone(board.get_thread(2), "a reply is no thread")
        self.assertEqual([board.thread_exists(no) for no in (1, 2, 99)], [True, False, False])


class ChangesAreSeen(unittest.TestCase):
    """Each test has a site of its own."""

    def setUp(self):
        self.site = Site(BASE_URL)
        self.addCleanup(self.site.close)
        self.site.post_all()
        self.board = Client(self.site).board()

    def listed(self):
        """The threads of the list that programs look at first, with their `last_modified`."""
        pages = self.site.json("talk/threads.json")
        return {thread["no"]: thread["last_modified"] for page in pages for thread in page["threads"]}

    def check_not_modified(self, thread):
        """Asks for a thread that has not changed, and sees in the program's own figures that it was not sent."""
        self.site.calm(f"talk/thread/{thread.id}.json")
        # It may have been told an earlier time than that which has come now.
        thread.update()
        before = self.site.answers("3xx")
        self.assertEqual(thread.update(), 0)
        self.assertEqual(self.site.answers("3xx"), before + 1)

    def test_new_replies_and_nothing_new(self):
        thread = self.board.get_thread(12)
        self.check_not_modified(thread)
        no = self.site.post(board="talk", thread=12, name="Late#key", body=">>13\nsee?")
        self.assertEqual(thread.update(), 1)
        new = thread.posts[-1]
        self.assertEqual((new.no, new.name, new.tripcode, new.text_comment), (no, "Late", "!lsUMWqdC0k", ">>13\nsee?"))
        self.check_not_modified(thread)
        # Two within one second, one of them a sage, are not taken for one.
        for options in ("", "sage"):
            self.site.post(board="talk", thread=12, options=options, body=f"and {options}")
        self.assertEqual(thread.update(), 2)
        self.check_not_modified(thread)
        self.assertEqual([post.no for post in thread.posts], [12, 13, no, no + 1, no + 2])
        # A post elsewhere is none here.
        self.site.post(board="talk", thread=1, body="elsewhere")
        self.check_not_modified(thread)

    def test_a_deleted_post_is_gone(self):
        self.site.post(board="talk", thread=12, body="behind it")
        thread = self.board.get_thread(12)
        before = self.listed()
        next_second()
        self.site.moderate("delete", "talk", 13)
        after = self.listed()
        self.assertGreater(after.pop(12), before.pop(12))
        self.assertEqual(after, before, "the other threads did not change")
        self.assertEqual(thread.update(force=True), -1)
        self.assertEqual([post.no for post in thread.posts], [12, 15])
        self.assertEqual(thread.topic._data["replies"], 1)
        self.check_not_modified(thread)

    def test_flags(self):
        for act, undo, flag in [("lock", "unlock", "closed"), ("sticky", "unsticky", "sticky")]:
            with self.subTest(act):
                thread = self.board.get_thread(1)
                for act, is_so in [(act, True), (undo, False)]:
                    before = self.listed()[1]
                    next_second()
                    self.site.moderate(act, "talk", 1)
                    self.assertGreater(self.listed()[1], before)
                    self.assertEqual(thread.update(), 0, "no post is new")
                    self.assertIs(getattr(thread, flag), is_so)
        self.site.moderate("bumplock", "talk", 1)
        thread.update()
        self.assertTrue(thread.bumplimit)
        self.assertFalse(thread.imagelimit)

    def test_a_sticky_thread_stands_first(self):
        self.site.moderate("sticky", "talk", 1)
        self.assertEqual(self.board.get_all_thread_ids(), [1, 14, 12])
        self.assertEqual([thread.sticky for thread in self.board.get_all_threads()], [True, False, False])

    def test_an_archived_thread_is_on_no_list_but_that_of_the_archive(self):
        thread = self.board.get_thread(12)
        began = int(time.time())
        self.site.moderate("archive", "talk", 12)
        self.assertEqual(self.board.get_all_thread_ids(), [14, 1])
        self.assertEqual(self.site.json("talk/archive.json"), [12])
        thread.update()
        self.assertTrue(thread.archived and thread.closed)
        self.assertTrue(began <= thread.topic._data["archived_on"] <= time.time())
        self.assertEqual(len(thread.posts), 2)

    def test_a_deleted_thread_is_gone(self):
        thread = self.board.get_thread(12)
        self.site.moderate("delete", "talk", 12)
        self.assertEqual(thread.update(), 0)
        self.assertTrue(thread.is_404)
        self.assertEqual(self.board.get_all_thread_ids(), [14, 1])
        next_second()
        self.site.moderate("restore", "talk", 12)
        thread.update(force=True)
        self.assertFalse(thread.is_404)
        self.assertEqual([post.no for post in thread.posts], [12, 13])


def html_unescaped(text):
    """A name or a subject as a program shows it, which gets them as HTML."""
    return text if text is None else html.unescape(text)
