//! The built-in theme: every page it can draw, with values that try it, is whole, valid and escaped.

mod html;

use std::fs;
use std::path::{Path, PathBuf};

use handlebars::{Context, Handlebars, Helper, HelperDef, HelperResult, JsonTruthy, Output, RenderContext, Renderable};
use nejiboard::render::views::*;
use nejiboard::render::wording;
use serde::Serialize;
use serde_json::{Value, json};

use html::{check_closed, check_page};

use super::sandbox::english;

/// What a stranger might type, to be seen as text wherever it stands.
const NASTY: &str = "<b title=\"x\" onclick='y'>&amp; {{site.title}}</b></title></textarea>";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("themes/default")
}

/// The theme as the program registers it: strict, partials by stem, and `asset` as the only helper of our own. Beyond
/// that `if` is strict here too: the one of handlebars takes a misspelt name for a value that is false.
fn theme() -> Handlebars<'static> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    let texts = english(&nejiboard::store::theme::read(Path::new("no-themes-here"), "default").unwrap());
    engine.register_helper("asset", Box::new(asset));
    engine.register_helper("if", Box::new(StrictIf));
    for file in ["", "partials"].iter().flat_map(|sub| fs::read_dir(folder().join(sub)).unwrap()) {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "hbs") {
            let stem = path.file_stem().unwrap().to_str().unwrap();
            assert!(!engine.has_template(stem), "two templates are called {stem}");
            let worded = wording::expand(&fs::read_to_string(&path).unwrap(), &texts).unwrap();
            engine.register_template_string(stem, worded.source).unwrap();
        }
    }
    engine
}

fn asset(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let name = helper.param(0).and_then(|name| name.value().as_str()).expect("asset takes a name");
    assert!(folder().join("assets").join(name).is_file(), "the theme has no asset {name}");
    out.write(&format!("/assets/{name}"))?;
    Ok(())
}

/// The helper `if` for values that must be there.
struct StrictIf;

impl HelperDef for StrictIf {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        engine: &'reg Handlebars<'reg>,
        context: &'rc Context,
        state: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let condition = helper.param(0).expect("`if` takes a condition");
        assert!(!condition.is_value_missing(), "no value is called {:?}", condition.relative_path());
        let branch = if condition.value().is_truthy(false) { helper.template() } else { helper.inverse() };
        branch.map_or(Ok(()), |branch| branch.render(engine, context, state, out))
    }
}

fn draw(template: &str, values: &impl Serialize) -> String {
    theme().render(template, values).unwrap_or_else(|error| panic!("{template}: {error}"))
}

/// Draws a page and checks what must hold for every page.
fn draw_page(template: &str, values: &impl Serialize) -> String {
    let html = draw(template, values);
    check_page(template, &html);
    html
}

fn text(value: &str) -> String {
    value.to_owned()
}

/// What views refer to lives as long as the tests.
fn kept<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn frame(kind: &'static str) -> Frame<'static> {
    let board = |slug: &str, current| BoardLink {
        slug: text(slug),
        title: format!("{slug} {NASTY}"),
        href: format!("/{slug}/index.html"),
        current,
    };
    Frame {
        site: kept(SiteView {
            title: text("Neji"),
            description: text("A board of plain files."),
            prefix: text("/"),
            home: text("/index.html"),
            overboard_href: text("/all/index.html"),
            origin: text("https://example.org"),
            locale: text("en"),
            dir: text("ltr"),
            log: String::new(),
            generator: text("nejiboard 0.1.0"),
        }),
        boards: kept(vec![board("meta", false), board("tech", kind != "home")]),
        more_boards: false,
        page: PageView {
            kind,
            title: format!("Page {NASTY}"),
            description: format!("About {NASTY}"),
            url: text("https://example.org/tech/index.html"),
            og_type: "website",
            feed_href: text("/tech/feed.xml"),
            json_href: text("/tech/1.json"),
        },
    }
}

fn board() -> &'static BoardView {
    kept(BoardView {
        slug: text("tech"),
        title: text("Technology"),
        description: format!("Machines {NASTY}"),
        href: text("/tech/index.html"),
        catalog_href: text("/tech/catalog.html"),
        archive_href: text("/tech/archive.html"),
    })
}

fn form(thread: &str) -> FormView {
    FormView {
        action: text("/post"),
        board: text("tech"),
        thread: text(thread),
        has_name: true,
        has_subject: true,
        name_max: 60,
        subject_max: 120,
        body_max: 8000,
        anonymous_name: text("Anonymous"),
        name: text(NASTY),
        options: String::new(),
        subject: String::new(),
        body: String::new(),
        nonce: text("abc123"),
    }
}

fn row(no: u64, title: &str) -> ThreadRow {
    ThreadRow {
        board: text("tech"),
        no,
        href: format!("/tech/thread/{no}.html"),
        title: text(title),
        teaser: format!("The beginning of the text of thread {no}, as plain text."),
        replies: no as usize,
        tail_href: if no == 1 { text("/tech/thread/1-tail.html") } else { String::new() },
        tail_posts: 50,
        sticky: no == 1,
        locked: no == 1,
        archived: no == 2,
        iso: text("2025-03-02T10:20:30Z"),
        time: text("2025-03-02 10:20"),
    }
}

const BACKLINKS: &[u64] = &[12, 13];

fn backlinks() -> Vec<Backlink<'static>> {
    BACKLINKS.iter().map(|&no| Backlink { no, page: "" }).collect()
}

fn post<'a>(no: u64, href: &'a str, body: &'a str, backlinks: &'a [Backlink<'a>]) -> PostView<'a> {
    PostView {
        no,
        href,
        op: false,
        deleted: false,
        name: "Anonymous",
        trip: "",
        poster_id: "",
        capcode: "",
        subject: "",
        sage: false,
        sticky: false,
        locked: false,
        archived: false,
        iso: "2025-03-02T10:20:30Z",
        time: "2025-03-02 10:20:30",
        body,
        cut: false,
        backlinks,
        more_backlinks: 0,
    }
}

fn thread(flags: (bool, bool)) -> ThreadView<'static> {
    ThreadView {
        frame: frame("thread"),
        board: board(),
        no: 1,
        href: text("/tech/thread/1.html"),
        title: format!("We moved {NASTY}"),
        sticky: true,
        locked: flags.0,
        archived: flags.1,
        replies: 12,
        tail_href: String::new(),
        tail_posts: 50,
        posts: Slot::default(),
        form: form("1"),
    }
}

/// Serializes a view and puts `posts` where the program puts them in the end: a view has only their [`Slot`].
fn with_posts(view: &impl Serialize, posts: &str) -> Value {
    let mut values = serde_json::to_value(view).unwrap();
    match values.get_mut("threads") {
        Some(threads) => threads.as_array_mut().unwrap().iter_mut().for_each(|thread| thread["posts"] = json!(posts)),
        None => values["posts"] = json!(posts),
    }
    values
}

#[test]
fn a_post_shows_all_that_it_has() {
    let links = backlinks();
    let mut view = post(11, "/tech/thread/1.html#p11", "<span class=\"quote\">&gt;so</span><br>yes", &links);
    (view.op, view.sage, view.sticky, view.locked, view.archived) = (true, true, true, true, true);
    (view.name, view.trip, view.capcode, view.subject) = ("Neji", "!abc", "Admin", "We <moved>");
    let html = draw("post", &view);
    check_closed("post", &html);
    assert_eq!(
        html,
        r##"<article class="post op" id="p11">
<header><a class="subject" href="/tech/thread/1.html#p11" dir="auto">We &lt;moved&gt;</a> <bdi class="name">Neji</bdi> <span class="trip">!abc</span> <strong class="capcode">## Admin</strong> <time datetime="2025-03-02T10:20:30Z">2025-03-02 10:20:30</time> <a class="no" href="/tech/thread/1.html#p11">No. 11</a> <span class="mark">sage</span> <span class="mark">Sticky</span> <span class="mark">Locked</span> <span class="mark">Archived</span></header>
<div class="body" dir="auto"><span class="quote">&gt;so</span><br>yes</div>
<footer>Replies: <a class="quotelink" href="#p12">&gt;&gt;12</a> <a class="quotelink" href="#p13">&gt;&gt;13</a></footer>
</article>
"##
    );
}

#[test]
fn a_post_counts_the_replies_that_it_does_not_list() {
    let links = backlinks();
    let view = PostView { more_backlinks: 7, ..post(11, "#p11", "x", &links) };
    contains(&draw("post", &view), r##"<a class="quotelink" href="#p13">&gt;&gt;13</a> +7</footer>"##);
}

#[test]
fn a_post_that_is_cut_leads_to_the_whole() {
    let view = PostView { cut: true, ..post(11, "/t/thread/1.html#p11", "x", &[]) };
    contains(
        &draw("post", &view),
        r##"x</div>
<p class="more"><a class="whole" href="/t/thread/1.html#p11">Read the whole post</a></p>
</article>"##,
    );
}

#[test]
fn a_post_shows_nothing_that_it_lacks() {
    let mut view = post(3, "/tech/thread/1.html#p3", "hi", &[]);
    (view.iso, view.time) = ("", "");
    assert_eq!(
        draw("post", &view),
        r##"<article class="post" id="p3">
<header><bdi class="name">Anonymous</bdi> <a class="no" href="/tech/thread/1.html#p3">No. 3</a></header>
<div class="body" dir="auto">hi</div>
</article>
"##
    );
}

#[test]
fn a_tombstone_keeps_its_anchor_and_nothing_else() {
    let links = backlinks();
    let mut view = post(4, "/tech/thread/1.html#p4", "secret", &links);
    (view.deleted, view.name, view.subject) = (true, "secret", "secret");
    assert_eq!(
        draw("post", &view),
        r##"<article class="post gone" id="p4"><p>Post removed. <a class="no" href="/tech/thread/1.html#p4">No. 4</a></p></article>
"##
    );
}

#[test]
fn an_index_page_shows_each_thread_with_its_posts() {
    let preview = |no: u64, locked, omitted| ThreadPreview {
        board: text("tech"),
        no,
        href: format!("/tech/thread/{no}.html"),
        title: format!("Thread {NASTY}"),
        sticky: false,
        locked,
        archived: false,
        replies: 12,
        omitted,
        tail_href: if no == 1 { text("/tech/thread/1-tail.html") } else { String::new() },
        tail_posts: 50,
        posts: Slot::default(),
    };
    let page = |number, current| PageLink { number, href: format!("/tech/{number}.html"), current };
    let view = IndexView {
        frame: frame("index"),
        board: board(),
        threads: vec![preview(1, true, 9), preview(20, false, 0)],
        pages: vec![page(1, false), page(2, true), page(3, false)],
        prev_href: text("/tech/index.html"),
        next_href: text("/tech/3.html"),
        form: form(""),
    };
    let html = draw_page("index", &with_posts(&view, "<pre>a\n b</pre>"));
    contains(&html, r#"<meta name="description" content="About &lt;b title&#x3D;&quot;x&quot;"#);
    contains(&html, r#"<link rel="canonical" href="https://example.org/tech/index.html">"#);
    contains(&html, r#"<meta property="og:url" content="https://example.org/tech/index.html">"#);
    contains(&html, "\n<pre>a\n b</pre>\n");
    contains(
        &html,
        r#"<span class="omitted">9 posts omitted.</span> <a class="expand" href="/tech/thread/1.html" aria-describedby="t1">View thread</a> · <a"#,
    );
    contains(&html, r#"<a href="/tech/thread/1-tail.html" aria-describedby="t1">Last 50</a> <span"#);
    contains(
        &html,
        r#"<p class="more"><a class="expand" href="/tech/thread/20.html" aria-describedby="t20">View thread</a> · "#,
    );
    contains(&html, r#"<a href="/tech/thread/20.html#reply" aria-describedby="t20">Reply</a>"#);
    contains(&html, r#"<li><a href="/tech/2.html" aria-current="page">2</a></li>"#);
    contains(&html, r#"<a href="/tech/3.html" rel="next">Next</a>"#);
    contains(&html, r#"<input type="hidden" name="nonce" value="abc123">"#);
    lacks(&html, "/tech/thread/1.html#reply");
}

#[test]
fn an_empty_board_says_so() {
    let view = IndexView {
        frame: frame("index"),
        board: board(),
        threads: Vec::new(),
        pages: vec![PageLink { number: 1, href: text("/tech/index.html"), current: true }],
        prev_href: String::new(),
        next_href: String::new(),
        form: form(""),
    };
    let html = draw_page("index", &view);
    contains(&html, "There is no thread yet.");
    lacks(&html, "aria-label=\"Pages\"");
    let catalog = CatalogView { frame: frame("catalog"), board: board(), threads: Vec::new(), form: form("") };
    contains(&draw_page("catalog", &catalog), "There is no thread yet.");
    let archive = ArchiveView { frame: frame("archive"), board: board(), parts: Vec::new(), threads: Vec::new() };
    contains(&draw_page("archive", &archive), "Nothing is archived here yet.");
}

#[test]
fn a_thread_page_ends_with_the_reply_form() {
    let body = "<article id=\"p1\"><pre class=\"prettyprint\">fn a() {\n    b()\n}</pre></article>";
    let html = draw_page("thread", &with_posts(&thread((false, false)), body));
    contains(&html, "fn a() {\n    b()\n}</pre>");
    contains(&html, "<h1 dir=\"auto\">We moved &lt;b title");
    contains(&html, "<input type=\"hidden\" name=\"thread\" value=\"1\">");
    contains(&html, " required ");
    contains(&html, "Post the reply");
    assert!(html.find("id=\"p1\"") < html.find("id=\"reply\""));
}

#[test]
fn a_long_threads_last_posts_stand_between_the_opening_and_the_form() {
    let mut whole = thread((false, false));
    whole.tail_href = text("/tech/thread/1-tail.html");
    let html = draw_page("thread", &with_posts(&whole, "<p id=\"p1\"></p>"));
    contains(&html, r#"<a href="/tech/thread/1-tail.html">Last 50 posts</a>"#);
    whole.frame = frame("tail");
    let view = TailView { thread: whole, opening: Slot::default(), omitted: 9 };
    let mut values = with_posts(&view, "<p id=\"p99\"></p>");
    values["opening"] = json!("<p id=\"p1\"></p>");
    let html = draw_page("tail", &values);
    let places = ["id=\"p1\"", "9 posts omitted. <a href=\"/tech/thread/1.html\">", "id=\"p99\"", "id=\"reply\""];
    assert!(places.map(|place| html.find(place).unwrap()).is_sorted(), "{html}");
    contains(&html, "<input type=\"hidden\" name=\"thread\" value=\"1\">");
}

#[test]
fn a_closed_thread_has_no_form() {
    for (flags, reason) in [((true, false), "This thread is locked"), ((false, true), "This thread is archived")] {
        let html = draw_page("thread", &with_posts(&thread(flags), ""));
        contains(&html, reason);
        lacks(&html, "name=\"body\"");
        lacks(&html, "href=\"#reply\"");
    }
}

#[test]
fn the_form_asks_only_for_what_the_board_takes() {
    let mut view = thread((false, false));
    (view.form.has_name, view.form.has_subject) = (false, false);
    let html = draw_page("thread", &with_posts(&view, ""));
    lacks(&html, "name=\"name\"");
    lacks(&html, "name=\"subject\"");
    contains(&html, "name=\"options\"");
}

#[test]
fn the_catalog_has_a_card_for_each_thread() {
    let threads = vec![row(1, NASTY), row(2, "")];
    let view = CatalogView { frame: frame("catalog"), board: board(), threads, form: form("") };
    let html = draw_page("catalog", &view);
    contains(&html, "<h2 dir=\"auto\"><a href=\"/tech/thread/1.html\">&lt;b title");
    contains(&html, "<h2 dir=\"auto\"><a href=\"/tech/thread/2.html\">Thread 2</a></h2>");
    contains(&html, "<span class=\"mark\">Sticky</span> <span class=\"mark\">Locked</span>");
    contains(&html, "1 reply\n");
    contains(&html, "2 replies\n");
    contains(&html, "The beginning of the text of thread 2, as plain text.");
}

#[test]
fn the_archive_lists_its_parts() {
    let part =
        |from, to, current| ArchivePart { from, to, href: format!("/tech/archive-{from}.html"), threads: 7, current };
    let parts = vec![part(1000, 1999, true), part(1, 999, false)];
    let view = ArchiveView { frame: frame("archive"), board: board(), parts, threads: vec![row(2, "Old")] };
    let html = draw_page("archive", &view);
    contains(&html, "<a href=\"/tech/archive-1000.html\" aria-current=\"page\">1000–1999</a>");
    contains(&html, "<a href=\"/tech/thread/2.html\" dir=\"auto\">Old</a>");
    contains(&html, "<span class=\"mark\">Archived</span>");
}

#[test]
fn the_home_page_lists_boards_and_latest_threads() {
    let stats = BoardStats {
        slug: text("tech"),
        title: text("Technology"),
        description: text(NASTY),
        href: text("/tech/index.html"),
        catalog_href: text("/tech/catalog.html"),
        threads: 1,
        posts: 25,
        iso: text("2025-03-02T10:20:30Z"),
        time: text("2025-03-02 10:20"),
    };
    let view = HomeView {
        frame: frame("home"),
        board_stats: vec![stats],
        threads_total: 1,
        posts_total: 25,
        latest: vec![row(5, "News")],
    };
    let html = draw_page("home", &view);
    contains(&html, "1 thread, 25 posts · <a href=\"/tech/catalog.html\"");
    contains(&html, "Last bump <time datetime=\"2025-03-02T10:20:30Z\">2025-03-02 10:20</time>");
    contains(&html, "<a href=\"/tech/thread/5.html\" dir=\"auto\">News</a>");
    contains(&html, "1 thread and 25 posts in all.");
}

#[test]
fn a_refusal_gives_back_what_was_typed() {
    let mut view = RefusedView {
        frame: frame("error"),
        status: 422,
        heading: text("Too long"),
        message: text("The text is too long."),
        has_form: true,
        form: form(""),
    };
    view.form.body = format!("\n  first\n\tsecond {NASTY}");
    let html = draw_page("error", &view);
    // A parser drops the first line break of a text area: the second one is the poster's.
    contains(&html, "aria-describedby=\"form-hint\">\n\n  first\n\tsecond &lt;b title&#x3D;&quot;x&quot;");
    contains(&html, "<meta name=\"robots\" content=\"noindex\">");
    lacks(&html, "canonical");
    view.has_form = false;
    lacks(&draw_page("error", &view), "<form");
}

#[test]
fn a_post_that_is_safe_leads_to_its_thread() {
    let view = SafeView {
        frame: frame("safe"),
        heading: text("Your post is safe"),
        message: text("It will be on its page in a moment."),
        href: text("/tech/thread/1.html"),
        refresh: 5,
    };
    let html = draw_page("safe", &view);
    contains(&html, "<meta http-equiv=\"refresh\" content=\"5;url=/tech/thread/1.html\">");
    contains(&html, "<a href=\"/tech/thread/1.html\">Go there now</a>");
}

#[test]
fn what_is_not_known_leaves_no_empty_element() {
    let mut view = thread((false, false));
    (view.frame.page.url, view.frame.page.description) = (String::new(), String::new());
    let html = draw_page("thread", &with_posts(&view, ""));
    for absent in ["canonical", "og:url", "og:description", "name=\"description\""] {
        lacks(&html, absent);
    }
    contains(&html, "og:title");
}

#[test]
fn strict_mode_finds_a_misspelt_value() {
    let mut values = with_posts(&thread((false, false)), "");
    values["board"].as_object_mut().unwrap().remove("catalog_href");
    let error = theme().render("thread", &values).unwrap_err().to_string();
    contains(&error, "catalog_href");
}

/// SECURITY: what stands in triple braces is not escaped. `{{&` is another way to write them.
#[test]
fn only_safe_markup_stands_in_triple_braces() {
    for (name, source) in theme().get_templates().keys().map(|name| (name, source(name))) {
        lacks(&source, "{{&");
        let raw = source.split("{{{").skip(1).map(|part| part.split("}}}").next().unwrap());
        let raw: Vec<&str> = raw.collect();
        let allowed: &[&str] = match name.as_str() {
            "post" => &["body"],
            "index" | "overboard" | "thread" => &["posts"],
            "tail" => &["opening", "posts"],
            _ => &[],
        };
        assert_eq!(raw, allowed, "{name}");
    }
}

fn source(template: &str) -> String {
    let places = [folder().join(format!("{template}.hbs")), folder().join(format!("partials/{template}.hbs"))];
    places.iter().find_map(|path| fs::read_to_string(path).ok()).expect("a template has a file")
}

/// `post.hbs` is drawn once for each post, so it keeps to what can be compiled to pieces of text and fields.
#[test]
fn the_post_template_has_only_fields_conditions_and_one_loop() {
    let texts = english(&nejiboard::store::theme::read(Path::new("no-themes-here"), "default").unwrap());
    let source = wording::expand(&source("post"), &texts).unwrap().source;
    let tags = source.split("{{").skip(1).map(|part| part.split('}').next().unwrap().trim_start_matches('{'));
    for tag in tags.filter(|tag| !tag.is_empty()) {
        let name = tag.strip_prefix("#if ").or(tag.strip_prefix("#each ")).or(tag.strip_prefix('/')).unwrap_or(tag);
        assert!(
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
            "`{tag}` is more than post.hbs may use"
        );
    }
}

#[test]
fn the_page_about_themes_names_every_value() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let views = fs::read_to_string(root.join("src/render/views.rs")).unwrap();
    let page = fs::read_to_string(root.join("docs/themes.md")).unwrap();
    let fields = views.lines().filter_map(|line| line.strip_prefix("    pub ")?.split_once(':'));
    for (field, _) in fields.filter(|(name, _)| !name.contains('(') && *name != "frame") {
        let named = ["", "site.", "page."].iter().any(|owner| page.contains(&format!("`{owner}{field}`")));
        assert!(named, "docs/themes.md does not tell of `{field}`");
    }
}

fn contains(text: &str, part: &str) {
    assert!(text.contains(part), "`{part}` is not in:\n{text}");
}

fn lacks(text: &str, part: &str) {
    assert!(!text.contains(part), "`{part}` is in:\n{text}");
}
