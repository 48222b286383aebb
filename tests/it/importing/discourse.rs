//! Topics of Discourse.

use serde_json::{Value, json};

use super::{import, thread};
use crate::import_pages::seen::{of_page, of_post};
use crate::sandbox::{Sandbox, files_below, samples};

/// A post of a topic.
fn post(place: u64, cooked: &str) -> Value {
    json!({
        "id": 1000 + place, "post_number": place, "post_type": 1, "username": format!("user{place}"), "name": "",
        "created_at": format!("2016-11-11T00:{place:02}:54.000Z"), "cooked": cooked, "topic_id": 12,
        "topic_slug": "a-topic", "reply_to_post_number": null, "actions_summary": [],
    })
}

/// A topic of these posts.
fn topic(posts: &[Value]) -> Value {
    let stream: Vec<&Value> = posts.iter().map(|post| &post["id"]).collect();
    json!({ "post_stream": { "posts": posts, "stream": stream }, "id": 12, "title": "A topic", "slug": "a-topic" })
}

fn with(mut value: Value, key: &str, other: Value) -> Value {
    value[key] = other;
    value
}

#[test]
fn a_topic_is_a_thread_and_its_addresses_lead_to_it() {
    let site = Sandbox::new("");
    let aside = "<aside class=\"quote\" data-post=\"1\" data-topic=\"12\"><div class=\"title\"> user1:</div>\
                 <blockquote><p>first</p></blockquote></aside><p>quoted</p>";
    let posts = [
        with(post(1, "<p>first</p>"), "actions_summary", json!([{"id": 2, "count": 5}])),
        with(post(2, "<p>second</p>"), "reply_to_post_number", json!(1)),
        with(with(post(4, aside), "reply_to_post_number", json!(1)), "accepted_answer", json!(true)),
        with(post(5, "<p>gone</p>"), "user_deleted", json!(true)),
        with(post(6, "<p>secret</p>"), "post_type", json!(4)),
        with(post(7, ""), "post_type", json!(3)),
        with(post(8, "<p>flagged</p>"), "hidden", json!(true)),
    ];
    let topic = with(topic(&posts), "tags", json!(["some tag", { "id": 1, "name": "b" }]));
    let topic = with(with(topic, "closed", json!(true)), "pinned", json!(true));
    site.write("in/a-topic.12.json", topic.to_string());
    site.write("in/site.json", "{\"categories\":[]}");
    site.write("in/logo.png", "x");
    let told = import(&site, &["discourse", "in", "--board", "forum"]);
    assert_eq!(
        thread(&site, "forum/1"),
        r##"--- {"no": 1, "at": "2016-11-11T00:01:54Z", "name": "user1", "subject": "A topic", "sticky": true, "locked": true}
first

✓ >>3
#some-tag #b

--- {"no": 2, "at": "2016-11-11T00:02:54Z", "name": "user2"}
>>1
second

--- {"no": 3, "at": "2016-11-11T00:04:54Z", "name": "user4"}
>>1 user1:
> first

quoted

--- {"no": 4, "at": "2016-11-11T00:05:54Z", "deleted": true}


--- {"no": 5, "at": "2016-11-11T00:08:54Z", "deleted": true}

"##
    );
    assert_eq!(
        site.read("redirects.txt"),
        "/t/a-topic/12 /forum/thread/1.html 301
/t/12 /forum/thread/1.html 301
/t/a-topic/12/1 /forum/thread/1.html#p1 301
/t/a-topic/12/2 /forum/thread/1.html#p2 301
/t/a-topic/12/4 /forum/thread/1.html#p3 301
/t/a-topic/12/5 /forum/thread/1.html#p4 301
/t/a-topic/12/8 /forum/thread/1.html#p5 301
"
    );
    told.is_fine();
    let lost = [("likes", 5), ("whispers", 1), ("notes of what staff did", 1), ("hidden posts", 1)];
    lost.iter().for_each(|(kind, count)| assert_eq!(told.lost(kind), *count, "{kind}: {}", told.summary));
    assert_eq!(told.count("files_skipped"), 2);
    // What is not for everybody is nowhere.
    for (path, bytes) in files_below(site.root()) {
        let text = String::from_utf8_lossy(&bytes);
        assert!(path.starts_with("in/") || !text.contains("secret") && !text.contains("flagged"), "{path}");
    }
}

#[test]
fn letters_are_not_imported_whichever_part_of_them_says_so() {
    let site = Sandbox::new("");
    let letter = with(topic(&[post(1, "secret")]), "archetype", json!("private_message"));
    site.write("in/12.json", letter.to_string());
    site.write("in/12-2.json", json!({ "post_stream": { "posts": [post(2, "secret")] }, "id": 12 }).to_string());
    let told = import(&site, &["discourse", "in", "--board", "forum"]);
    assert_eq!((told.is_fine().count("posts"), told.lost("posts of private messages")), (0, 2));
    assert!(!site.path("content/forum").exists());
}

#[test]
fn parts_of_a_topic_are_put_together_and_what_is_missing_is_told() {
    let site = Sandbox::new("");
    let part = |posts: &[Value]| {
        with(topic(posts), "post_stream", json!({ "posts": posts, "stream": [1001, 1002, 1003, 1004, 1005] }))
    };
    site.write("in/12.json", part(&[post(1, "one"), post(2, "two")]).to_string());
    site.write("in/12-2.json", part(&[post(2, "two"), post(4, "four")]).to_string());
    let told = import(&site, &["discourse", "in", "--board", "forum"]);
    assert_eq!((told.code, told.count("posts"), told.lost("posts that are not in the files")), (1, 3, 2));
    assert!(told.err.contains("in/12-2.json: 2 of 5 posts of topic 12 are not in its files"), "{}", told.err);
    assert!(told.err.contains("hint: get the others too, such as `/t/12.json?page=2`"), "{}", told.err);
    // Those that came later get numbers above, and what is there stays.
    let before = thread(&site, "forum/1");
    site.write("in/12-3.json", part(&[post(3, "three"), post(5, "five")]).to_string());
    assert_eq!(import(&site, &["discourse", "in", "--board", "forum"]).is_fine().count("posts_new"), 2);
    let now = thread(&site, "forum/1");
    assert!(now.starts_with(&before) && now.contains("\"no\": 5,") && now.ends_with("five\n"), "{now}");
    let again = files_below(&site.path("content"));
    assert_eq!(import(&site, &["discourse", "in", "--board", "forum"]).is_fine().count("posts_new"), 0);
    assert_eq!(files_below(&site.path("content")), again);
}

#[test]
fn bad_input_is_told_with_its_place_and_the_rest_is_imported() {
    let whole = topic(&[post(1, "<p>one</p>"), post(2, "<p>two</p>"), post(3, "<p>three</p>")]).to_string();
    let cut = &whole[..whole.find("three").unwrap()];
    let public = format!("{{\"archetype\":\"regular\",\"id\":12,{}", &cut[1..]);
    let no_time = with(post(2, "two"), "created_at", json!("yesterday"));
    let cases: [(Vec<u8>, &str, u64); 13] = [
        (public.into_bytes(), "; the 2 posts before it are kept", 2),
        (cut.as_bytes().to_vec(), "; the 2 posts before it are left out, as nothing tells whether they are private", 0),
        (b"".to_vec(), "in/x.json:1:1: the JSON ends in the middle", 0),
        ([&whole.as_bytes()[..60], b"\xE9"].concat(), "in/x.json:1:61: the file is not UTF-8", 0),
        (b"<html>no</html>".to_vec(), "in/x.json:1:1: ", 0),
        (b"[]".to_vec(), "in/x.json: this is not a topic: there is no `post_stream`", 0),
        (b"{\"posts\":[{\"no\":1}]}".to_vec(), "in/x.json: this is not a topic", 0),
        (b"{\"post_stream\":{\"posts\":[]},\"id\":1}".to_vec(), "in/x.json: the topic has no posts", 0),
        (
            topic(&[post(1, "a"), with(post(1, "b"), "id", json!(9))]).to_string().into_bytes(),
            "in/x.json: post 1 of topic 12 came already",
            1,
        ),
        (
            topic(&[post(2, "a"), post(3, "b")]).to_string().into_bytes(),
            "in/x.json: topic 12 has no first post; post 2 opens the thread",
            2,
        ),
        (
            topic(&[post(1, "a"), with(post(2, "b"), "post_number", json!("x"))]).to_string().into_bytes(),
            "in/x.json: the number `x` of post 2 is none; it is left out",
            1,
        ),
        (
            topic(&[post(1, "a"), no_time]).to_string().into_bytes(),
            "in/x.json: the time `yesterday` of post 2 of topic 12 cannot be read",
            2,
        ),
        (
            topic(&[post(1, "a"), post(2, &"x".repeat(1_000_001))]).to_string().into_bytes(),
            "in/x.json: post 2 of topic 12 is longer than 1000000 bytes",
            1,
        ),
    ];
    for (bytes, problem, posts) in cases {
        let site = Sandbox::new("");
        site.write("in/x.json", bytes);
        let good = topic(&[with(post(1, "good"), "topic_id", json!(13))]);
        site.write("in/good.json", with(good, "id", json!(13)).to_string());
        let told = import(&site, &["discourse", "in/x.json", "in/good.json", "--board", "forum"]);
        assert_eq!((told.code, told.count("posts_new")), (1, posts + 1), "{problem}: {}", told.err);
        assert!(told.err.contains(problem), "{problem}: {}", told.err);
        assert!(told.report.contains(problem), "{}", told.report);
    }
    let site = Sandbox::new("");
    let large = std::fs::File::create(site.path("large.json")).unwrap();
    large.set_len(2 << 30).unwrap();
    let told = import(&site, &["discourse", "large.json", "--board", "forum"]);
    assert!(told.err.contains("large.json: larger than 256 MB"), "{}", told.err);
    assert_eq!(import(&site, &["discourse", "large.json"]).code, 3, "a board is needed");
}

/// The page and the anchor to which an old address leads.
fn leads_to(redirects: &str, from: &str) -> (String, String) {
    let line = redirects.lines().find(|line| line.split(' ').next() == Some(from)).unwrap_or_else(|| panic!("{from}"));
    let to = line.split(' ').nth(1).unwrap();
    let (page, anchor) = to.split_once('#').unwrap_or((to, ""));
    (page.trim_start_matches('/').to_owned(), anchor.to_owned())
}

/// What a reader sees of the text of a post on a built page.
pub fn text_on(page: &str, anchor: &str) -> String {
    let (_, rest) = page.split_once(&format!(" id=\"{anchor}\"")).unwrap_or_else(|| panic!("no {anchor}"));
    let (_, rest) = rest.split_once("<div class=\"body").unwrap();
    let (_, rest) = rest.split_once('>').unwrap();
    of_post(rest.split_once("</div>").unwrap().0)
}

#[test]
fn the_samples_say_on_their_pages_what_they_said() {
    let Some(samples) = samples() else { return };
    let folder = samples.join("threads-discourse-json");
    let site = Sandbox::new("");
    let told = import(&site, &["discourse", folder.to_str().unwrap(), "--board", "forum"]);
    assert_eq!((told.is_fine().count("threads"), told.count("posts")), (37, 391));
    site.build();
    let redirects = site.read("redirects.txt");
    let mut compared = 0;
    for (path, bytes) in files_below(&folder) {
        let topic: Value = serde_json::from_slice(&bytes).unwrap();
        let (id, slug) = (&topic["id"], topic["slug"].as_str().unwrap());
        for post in topic["post_stream"]["posts"].as_array().unwrap() {
            let place = &post["post_number"];
            let (page, anchor) = leads_to(&redirects, &format!("/t/{slug}/{id}/{place}"));
            let there = text_on(&site.page(&page), &anchor);
            let said = of_page(post["cooked"].as_str().unwrap());
            let foot = there.strip_prefix(&said).unwrap_or_else(|| panic!("{path} {place}:\n{said}\n{there}"));
            let is_foot = |word: &str| word == "✓" || word.starts_with('#');
            assert!(foot.is_empty() || *place == 1 && foot.split_whitespace().all(is_foot), "{path} {place}: {foot}");
            compared += 1;
        }
    }
    assert_eq!(compared, 391);
    assert!(crate::sandbox::running::run(site.root(), &["verify"]).status.success());
}
