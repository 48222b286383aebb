"""A site of a test's own in a folder that is thrown away, served by the real program, and posted to as posters do."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
PROGRAM = Path(os.environ.get("NEJIBOARD", REPOSITORY / "target/release/nejiboard"))
SAMPLES = Path(os.environ.get("NEJIBOARD_SAMPLES", REPOSITORY / "../shared/data"))
LONG = 30

# Settings of a site on which tests may post as fast as they can.
SETTINGS = """\
title: Read by clients
base_url: {base_url}
formats: {formats}
duplicate_minutes: 0
"""

# The proxies of the environment have nothing to do with a program on this machine.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def posts():
    """What is posted, and how each program is to read it. The file is shared with `imageboard.test.js`."""
    return json.loads((HERE / "posts.json").read_text("utf-8"))


class Site:
    """A running `serve` with its folder. Use it in a `with`, or call `close`."""

    def __init__(self, base_url="/", formats="[json, feeds, vichan]", copy_demo=False, write=lambda site: None):
        if not PROGRAM.exists():
            raise AssertionError(f"{PROGRAM} is absent: run `cargo build --release` first, or name it with NEJIBOARD")
        self.dir = Path(tempfile.mkdtemp(prefix="nejiboard-clients-"))
        self.prefix = re.sub(r"^https?://[^/]*", "", base_url)
        if copy_demo:
            shutil.copytree(REPOSITORY / "content", self.dir / "content")
            self.edit("site.yaml", lambda text: re.sub("^base_url: .*$", f"base_url: {base_url}", text, flags=re.M))
        else:
            self.write("site.yaml", SETTINGS.format(base_url=base_url, formats=formats))
            for board, text in posts()["boards"].items():
                self.write(f"{board}/board.yaml", text)
        write(self)
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def start(self):
        """Starts the program, at another port each time."""
        self.log = ""
        words = [PROGRAM, "--root", self.dir, "serve", "--listen", "127.0.0.1:0", "--monitor", "127.0.0.1:0"]
        self.process = subprocess.Popen(words, env={}, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()
        told = lambda what: re.search(rf"^{what} (http://127\.0\.0\.1:\d+)/", self.log, re.M)
        try:
            wait_until("the program serves", lambda: told("monitoring at") and told("serving"), self._is_alive)
        except AssertionError:
            self.process.kill()
            raise
        self.monitor = told("monitoring at")[1]
        self.origin = told("serving")[1]
        self.url = self.origin + self.prefix

    def _listen(self):
        with self.process.stderr as lines:
            for line in lines:
                self.log += line

    def _is_alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the program ended:\n{self.log}")

    def stop(self):
        """Ends the program in peace, and checks that it had nothing to complain of."""
        self.process.terminate()
        self.process.wait(LONG)
        self.listener.join(LONG)
        if re.search("panicked|ERROR", self.log):
            raise AssertionError(f"the program complained:\n{self.log}")

    def close(self):
        """Ends the program and removes the folder."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self.dir)

    def write(self, name, text):
        """Writes a file of the content."""
        path = self.dir / "content" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def edit(self, name, change):
        """Changes a file of the content."""
        self.write(name, change((self.dir / "content" / name).read_text("utf-8")))

    def get(self, path, headers={}):
        """The status, the headers and the bytes of an answer; `path` is below the site's own."""
        try:
            with OPENER.open(urllib.request.Request(self.url + path, headers=headers), timeout=LONG) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.headers, answer.read()

    def json(self, path):
        """A file of JSON."""
        status, _, body = self.get(path)
        if status != 200:
            raise AssertionError(f"{path}: {status}")
        return json.loads(body)

    def post(self, **fields):
        """Posts as a form does, and gives the post's number once its pages are there."""
        form = urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(self.url + "post", form, {"accept": "application/json"})
        try:
            with OPENER.open(request, timeout=LONG) as answer:
                return json.loads(answer.read())["no"]
        except urllib.error.HTTPError as answer:
            raise AssertionError(f"{fields}: {answer.code} {answer.read().decode()}") from None

    def post_all(self):
        """Posts all that `posts.json` has, in its order."""
        for post in posts()["posts"]:
            no = self.post(**post["form"])
            if no != post["want"]["no"]:
                raise AssertionError(f"the post has number {no}: {post}")

    def run(self, *words, stdin=""):
        """Runs another command on the site, and gives what it prints."""
        words = [PROGRAM, "--root", self.dir, *words]
        done = subprocess.run(words, env={}, input=stdin, capture_output=True, text=True, timeout=LONG)
        if done.returncode != 0:
            raise AssertionError(f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    def moderate(self, act, board, *numbers):
        """Acts as a moderator does on the machine itself."""
        self.run("mod", "--by", "tests", act, board, *map(str, numbers))

    def answers(self, status_class):
        """How many answers of a class of statuses, such as `3xx`, the program has given."""
        with OPENER.open(self.monitor + "/metrics", timeout=LONG) as answer:
            figures = answer.read().decode()
        found = re.search(rf'^nejiboard_answers_total{{class="{status_class}"}} (\d+)$', figures, re.M)
        return int(found[1])

    def calm(self, path):
        """Waits until a page's time has come. Each change gives it a later second, so some changes in one put it ahead,
        and until then it is always sent whole."""
        page = self.dir / "public" / path
        wait_until(f"the time of {path} has come", lambda: page.stat().st_mtime <= time.time())

    def secure_trip(self):
        """The tripcode that this site gives to the one name of `posts.json` with a secret."""
        name = next(post["form"]["name"] for post in posts()["posts"] if "##" in post["form"].get("name", ""))
        return re.search(r"!!\S+", self.run("tripcode", stdin=name + "\n"))[0]

    def wanted(self, board):
        """What is to be read of the posts of a board, by thread, with the tripcode that only this site gives."""
        threads = {}
        for post in posts()["posts"]:
            if post["form"]["board"] == board:
                want = dict(post["want"])
                if want.get("trip") == "secure":
                    want["trip"] = self.secure_trip()
                threads.setdefault(int(post["form"].get("thread", want["no"])), []).append(want)
        return threads


def wait_until(what, is_so, also=lambda: None):
    """Waits for something that takes a moment."""
    until = time.monotonic() + LONG
    while not is_so():
        also()
        if until < time.monotonic():
            raise AssertionError(f"not in {LONG} s: {what}")
        time.sleep(0.02)


def next_second():
    """Waits until another second has begun, since times are told in whole ones."""
    now = time.time()
    time.sleep(int(now) + 1.05 - now)
