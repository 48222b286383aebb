//! Other people's texts: attacks, the examples of CommonMark, art and an announcement.

use super::{browser, html, vocabulary};
use std::fs;
use std::path::PathBuf;

/// The folder of sample data, which is read in place and never copied; None, and a word about it, if it is not there.
pub fn folder() -> Option<PathBuf> {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("NEJIBOARD_SAMPLES").map_or_else(default, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("sample data absent at {}: set NEJIBOARD_SAMPLES", folder.display());
    None
}

fn read(path: &str) -> Option<String> {
    let file = folder()?.join(path);
    Some(fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
}

fn json(path: &str) -> Option<Vec<serde_json::Value>> {
    Some(serde_json::from_str(&read(path)?).expect("the sample is a JSON array"))
}

/// A body alone, and among much that surrounds it.
fn check(body: &str) {
    browser::check(&html(body));
    let inside = format!("words\n\n> {body}\n- {body}\n||{body}||\n[spoiler]{body}[/spoiler]\n[x{body}](https://a.b)");
    browser::check(&html(&inside));
}

#[test]
fn no_attack_leaves_the_vocabulary() {
    let Some(folder) = folder() else { return };
    let mut count = 0;
    for list in ["xss/dompurify-expect.json", "xss/h5sc-vectors.json"] {
        for entry in json(list).into_iter().flatten() {
            check(entry["payload"].as_str().expect("a payload is text"));
            count += 1;
        }
    }
    let mut lists: Vec<_> =
        fs::read_dir(folder.join("xss")).expect("the folder is there").flatten().map(|e| e.path()).collect();
    lists.sort();
    for list in lists.iter().filter(|list| list.extension().is_some_and(|e| e == "txt")) {
        let text = fs::read_to_string(list).expect("the list is text");
        check(&text);
        for line in text.lines() {
            check(line);
            count += 1;
        }
    }
    assert!(count > 1200, "{count} attacks were tried");
}

#[test]
fn the_examples_of_commonmark_stay_in_the_vocabulary() {
    let Some(examples) = json("markdown/commonmark-0.31.2.json") else { return };
    assert_eq!(examples.len(), 652);
    for example in examples {
        check(example["markdown"].as_str().expect("an example is text"));
    }
}

/// What readers see of each span of art.
fn art_in(shown: &str) -> Vec<String> {
    let spans = shown.split("<span class=\"sjis").skip(1).filter_map(|span| span.split_once('>'));
    spans.map(|(_, span)| vocabulary::check(span.split("</span>").next().expect("a split has a first part"))).collect()
}

#[test]
fn shift_jis_art_is_found_whole() {
    let Some(text) = read("ascii-art/sjis/aa-dev.txt") else { return };
    let pieces: Vec<&str> = text.split("\n%\n").map(|piece| piece.trim_matches('\n')).collect();
    assert_eq!(pieces.len(), 9);
    for piece in pieces {
        assert_eq!(art_in(&html(piece)), [piece]);
        assert_eq!(art_in(&html(&format!("[aa]\n{piece}\n[/aa]"))), [piece]);
        let among = html(&format!("what do you think of it?\n\n{piece}\n\nI *like* it.\n>>12"));
        assert_eq!(art_in(&among), [piece]);
        assert!(among.starts_with("what do you think of it?<br><br><span"), "{among}");
        assert!(among.contains("</span><br><br>I <em>like</em> it.<br><a href="), "{among}");
    }
}

#[test]
fn ascii_art_is_found_line_by_line() {
    let Some(folder) = folder() else { return };
    let files = fs::read_dir(folder.join("ascii-art/cj-bc-AAs")).expect("the folder is there");
    for file in files.flatten() {
        let text = fs::read_to_string(file.path()).expect("art is text");
        // A full line of strokes; the words between the pieces are not art.
        let drawn = |line: &&str| line.len() > 4 && !line.contains(|c: char| c.is_alphanumeric());
        let drawn: Vec<&str> = text.lines().filter(drawn).map(str::trim_end).collect();
        let found = art_in(&html(&text)).join("\n");
        let missing = drawn.iter().filter(|line| !line.trim().is_empty() && !found.contains(*line)).count();
        assert!(missing * 20 <= drawn.len(), "{}: {missing} of {} lines", file.path().display(), drawn.len());
    }
}

#[test]
fn what_people_write_is_not_taken_for_art() {
    let Some(folder) = folder() else { return };
    let mut posts = 0;
    let files = fs::read_dir(folder.join("threads-discourse-json")).expect("the folder is there");
    for file in files.flatten() {
        let text = fs::read_to_string(file.path()).expect("a thread is text");
        let thread: serde_json::Value = serde_json::from_str(&text).expect("a thread is JSON");
        for post in thread["post_stream"]["posts"].as_array().expect("a thread has posts") {
            let cooked = post["cooked"].as_str().expect("a post is text");
            let shown = html(cooked);
            vocabulary::check(&shown);
            assert!(!shown.contains("sjis"), "{}:\n{cooked}", file.path().display());
            posts += 1;
        }
    }
    assert!(posts > 300, "{posts} posts were tried");
}

#[test]
fn the_announcement_reads_as_it_was_meant() {
    let Some(text) = read("announcement.txt") else { return };
    let shown = html(&text);
    vocabulary::check(&shown);
    let link = |address: &str| format!(r#"<a href="{address}" rel="nofollow ugc noopener noreferrer">{address}</a>"#);
    let parts = [
        // Art that has lost its line breaks is one line, of which no stroke gets lost.
        r". / V\ / ` / &lt;&lt; | / | / | / | / \ \ / ( ) | | ________| _/_ | | &lt;__________\______)\__)<br>".into(),
        "migrate to Elixir &amp; Erlang VM!<br>Hi Nejis, I ".into(),
        r#"(2012))<br><span class="quote">&gt;first i will show you 100s videos from Fireship about elixir</span><br>"#
            .into(),
        link("https://www.youtube.com/watch?v=Z_FHEFao-r8")
            + "<br>&quot;The Secret Language Scaling WhatsApp and Discord&quot;<br>",
        r#"<span class="quote">&gt;Then this article :</span><br>"#.into(),
        link("https://favtutor.com/articles/whatsapp-discord-and-the-secret-to-handling-millions-of-concurrent-users/")
            + "<br>The",
        r#"<br>Performance Benefits:<ol start="1"><li>Lightning-Fast Response Times : The website"#.into(),
        "minimal resource usage.</li><li>Fault Tolerance : The Erlang VM's".into(),
        "zero-downtime deployments!</li></ol>Practical Impact:<ul><li>Page load times reduced by ~40%</li><li>Elixir/"
            .into(),
        "99.99% uptime</li></ul>Future Benefits:<ul><li>Easy scaling".into(),
        "efficient resource usage</li></ul>This migration".into(),
        "reliability!<br>*corrention it's 35% more memory-efficient\u{1F525}\u{1F525} since".into(),
        "same as nejiboard do \u{1F60E}\u{1F9B9}\u{1F3FC}".into(),
        link("https://discord.com/blog/how-discord-scaled-elixir-to-5-000-000-concurrent-users") + "<br>just test",
        "root@server039564755:~/py#".into(),
    ];
    let mut rest = shown.as_str();
    for part in parts {
        let at = rest.find(&part).unwrap_or_else(|| panic!("missing, or not in its place:\n{part}\nin:\n{rest}"));
        rest = &rest[at + part.len()..];
    }
    assert!(!shown.contains("<em>") && !shown.contains("<code>") && !shown.contains("<s>") && !shown.contains("sjis"));
    assert_eq!(
        (shown.matches("<ul>").count(), shown.matches("<ol").count(), shown.matches("<li>").count()),
        (2, 1, 11)
    );
}
