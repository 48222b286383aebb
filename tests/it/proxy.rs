//! Other servers in front, with the configuration that `headers` prints: they send what the door sends, pass posts on,
//! and go on without it.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nejiboard::model::caching::{Kind, guards};
use nejiboard::model::{SiteSettings, settings::BaseUrl};

use super::sandbox::running::{Reply, Running, get, request, run, run_with, wait_until};
use super::sandbox::{Sandbox, files_below};

const THREADS: &str = "
==> content/tech/1.md
--- {no: 1, at: 2025-03-02, subject: First}
the first post
==> content/art/2.md
--- {no: 2, at: 2025-03-02, subject: Second}
another board
";

fn site(base_url: &str) -> Sandbox {
    let site = Sandbox::new(THREADS);
    let settings = format!("title: T\nbase_url: {base_url}\nprecompress: [gzip, brotli]\n");
    site.write("content/site.yaml", settings);
    site.build();
    site
}

/// What `headers` prints.
pub fn printed(site: &Sandbox, arguments: &[&str]) -> String {
    let out = run(site.root(), &[&["headers"], arguments].concat());
    assert!(out.status.success(), "{out:?}");
    String::from_utf8(out.stdout).unwrap()
}

/// A server in front. It is ended when this is dropped.
pub struct Front {
    child: Child,
    pub address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for Front {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

pub fn tool(name: &str) -> Option<PathBuf> {
    let folders = ["/usr/sbin", "/usr/bin", "/usr/local/bin"].map(PathBuf::from);
    let named = std::env::var_os(name.to_uppercase()).map(PathBuf::from);
    let found = named.or_else(|| folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file()));
    if found.is_none() {
        println!("{name} is absent: install it, or name it with {}", name.to_uppercase());
    }
    found
}

impl Front {
    /// Starts what `prepare` makes of a folder and an address. The port that was free may be taken by then; so twice.
    pub fn start(prepare: impl Fn(&Path, SocketAddr) -> Command) -> Front {
        let mut said = String::new();
        for _ in 0..5 {
            let (folder, address) = (tempfile::tempdir().unwrap(), free_port());
            let log = folder.path().join("log");
            let mut command = prepare(folder.path(), address);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap());
            let mut front = Front { child: command.spawn().unwrap(), address, _folder: folder };
            let mut ended = false;
            wait_until("it listens", || {
                ended = front.child.try_wait().unwrap().is_some();
                ended || TcpStream::connect(address).is_ok()
            });
            if !ended {
                return front;
            }
            said = fs::read_to_string(&log).unwrap();
        }
        panic!("it ended: {said}");
    }

    /// nginx with the printed configuration, and nothing else but what Debian has around it.
    pub fn nginx(site: &Sandbox, door: SocketAddr) -> Option<Front> {
        let nginx = tool("nginx")?;
        Some(Front::start(|folder, address| {
            let text = printed(site, &["nginx", "--door", &door.to_string(), "--listen", &address.to_string()]);
            fs::write(folder.join("site.conf"), text).unwrap();
            let around = format!(
                "daemon off; worker_processes 1; pid {0}/pid; error_log stderr;{user}\nevents {{}}\nhttp {{\n\
             include /etc/nginx/mime.types; default_type application/octet-stream; access_log off; sendfile on;\n\
             client_body_temp_path {0}/body; proxy_temp_path {0}/proxy; fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u;\n\
             scgi_temp_path {0}/s; include {0}/site.conf;\n}}\n",
                folder.display(),
                user = if rustix::process::getuid().is_root() { " user root;" } else { "" },
            );
            fs::write(folder.join("nginx.conf"), around).unwrap();
            let mut command = Command::new(&nginx);
            command.arg("-c").arg(folder.join("nginx.conf")).arg("-p").arg(folder);
            command
        }))
    }

    pub fn caddy(site: &Sandbox, door: SocketAddr) -> Option<Front> {
        let caddy = tool("caddy")?;
        Some(Front::start(|folder, address| {
            let text = printed(site, &["caddy", "--door", &door.to_string(), "--listen", &address.to_string()]);
            let path = folder.join("Caddyfile");
            fs::write(&path, format!("{{\n\tadmin off\n\tauto_https off\n}}\n{text}")).unwrap();
            let mut command = Command::new(&caddy);
            command.args(["run", "--adapter", "caddyfile", "--config"]).arg(path);
            command.env("HOME", folder).env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
            command
        }))
    }

    /// Fetches a path.
    pub fn get(&self, path: &str) -> Reply {
        get(self.address, path)
    }

    fn get_packed(&self, path: &str, coding: &str) -> Reply {
        let head = format!("GET {path} HTTP/1.1\r\nHost: board.test\r\nConnection: close\r\n");
        request(self.address, &format!("{head}Accept-Encoding: {coding}\r\n\r\n")).unwrap()
    }

    fn get_raw(&self, path: &str, coding: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: board.test\r\nConnection: close\r\n");
        stream.write_all(format!("{head}Accept-Encoding: {coding}\r\n\r\n").as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn post(&self, path: &str, accept: &str, fields: &[(&str, &str)]) -> Reply {
        let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let body = body.join("&");
        let head = format!("POST {path} HTTP/1.1\r\nHost: board.test\r\nConnection: close\r\nAccept: {accept}\r\n");
        let kind = "Content-Type: application/x-www-form-urlencoded";
        request(self.address, &format!("{head}{kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len())).unwrap()
    }
}

const SAME: [&str; 4] = ["cache-control", "content-security-policy", "x-content-type-options", "referrer-policy"];

/// The front answers as the door does.
#[track_caller]
fn same_as_door(front: &Front, door: &Running, prefix: &str, asset: &str) {
    let paths = ["", "tech/", "tech/index.html", "tech/thread/1.html", "nothing.html", "tech/none/", asset];
    for path in paths.into_iter().chain(["tech/thread/1.json", "boards.json", "robots.txt"]) {
        let path = format!("{prefix}{path}");
        let (ours, theirs) = (door.get(&path), front.get(&path));
        assert_eq!(theirs.status, ours.status, "{path}");
        for name in SAME {
            assert_eq!(theirs.header(name), ours.header(name), "{path}: {name}");
            let times = theirs.head.to_lowercase().matches(&format!("\n{name}:")).count();
            assert_eq!(times, 1, "{path}: {name}: {}", theirs.head);
        }
        let origin = "access-control-allow-origin";
        assert_eq!(theirs.header(origin), ours.header(origin), "{path}");
        assert_eq!(ours.header(origin), if path.ends_with(".json") { "*" } else { "" }, "{path}");
        // Caddy leaves out what JSON cannot be but.
        let known = |media: String| media.replace("application/json;charset=utf-8", "application/json");
        let media = |reply: &Reply| known(reply.header("content-type").to_lowercase().replace(' ', ""));
        assert_eq!(media(&theirs), media(&ours), "{path}");
        assert_eq!(theirs.body, ours.body, "{path}");
        if theirs.status == 200 {
            assert_eq!(theirs.header("last-modified"), ours.header("last-modified"), "{path}");
            assert!(theirs.header("etag").starts_with('"'), "{path}: {}", theirs.head);
        }
    }
    for hidden in [".x.draft", "tech/.index.html.draft"] {
        assert_eq!(front.get(&format!("{prefix}{hidden}")).status, 404, "{hidden}");
    }
    assert_eq!(front.get(&format!("{prefix}healthz")).header("cache-control"), "no-store");
    let redirect = front.get(&format!("{prefix}tech"));
    assert!([301, 302, 307, 308].contains(&redirect.status), "{redirect:?}");
    assert!(redirect.header("location").ends_with(&format!("{prefix}tech/")), "{redirect:?}");
}

/// Staff signs in through the server in front, and the door hears for whom it asks.
fn staff_gets_in(front: &Front, site: &Sandbox, prefix: &str) {
    let typed = site.path("typed");
    fs::write(&typed, "correct horse battery\n").unwrap();
    let added = run_with(site.root(), &["mod", "user", "add", "neji", "--role", "admin"], |command| {
        command.stdin(fs::File::open(&typed).unwrap());
    });
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let path = format!("{prefix}mod/");
    assert!(front.get(&path).body.contains("<h1>Sign in</h1>"), "{path}");
    let fields = [("name", "neji"), ("password", "correct+horse+battery")];
    let body = fields.map(|(name, value)| format!("{name}={value}")).join("&");
    let send = |host: &str, origin: &str| {
        let head = format!("POST {path}sign-in HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nOrigin: {origin}\r\n");
        let kind = format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}", body.len());
        request(front.address, &format!("{head}{kind}\r\n\r\n{body}")).unwrap()
    };
    let reply = send("board.test:8443", "https://board.test:8443");
    assert_eq!((reply.status, reply.header("location")), (303, path.as_str()), "{reply:?}");
    assert!(reply.header("set-cookie").contains("; Secure"), "{reply:?}");
    assert_eq!(send("board.test:8443", "https://evil.test").status, 403);
}

fn asset_of(site: &Sandbox) -> String {
    let files = files_below(&site.path("public"));
    files.into_keys().find(|path| path.ends_with(".css")).expect("the theme has a style")
}

/// Packed siblings come as they are.
#[track_caller]
fn siblings_come(front: &Front, site: &Sandbox, prefix: &str, coding: &str, ending: &str) {
    for path in ["tech/thread/1.html".to_owned(), asset_of(site)] {
        wait_until("it is packed", || site.has_page(&format!("{path}{ending}")));
        let reply = front.get_packed(&format!("{prefix}{path}"), coding);
        let sibling = fs::read(site.path("public").join(format!("{path}{ending}"))).unwrap();
        // The end of it, since a server may send it in pieces.
        let end = &sibling[sibling.len() - 100..];
        let raw = front.get_raw(&format!("{prefix}{path}"), coding);
        assert_eq!((reply.status, reply.header("content-encoding")), (200, coding), "{path}: {}", reply.head);
        assert!(raw.windows(end.len()).any(|part| part == end), "{path}: not the sibling: {}", reply.head);
        assert!(reply.header("vary").to_lowercase().contains("accept-encoding"), "{path}: {}", reply.head);
    }
}

/// Without the door every page is served, and posters are told.
#[track_caller]
fn goes_on_without_door(front: &Front, site: &Sandbox, prefix: &str) {
    for (path, bytes) in files_below(&site.path("public")) {
        let reply = front.get(&format!("{prefix}{path}"));
        assert_eq!(reply.status, 200, "{path}");
        if path.ends_with(".html") {
            assert_eq!(reply.body.as_bytes(), bytes, "{path}");
        }
    }
    assert_eq!(front.get(&format!("{prefix}nothing.html")).status, 404);
    let told = front.post(&format!("{prefix}post"), "text/html", &[("board", "tech"), ("body", "x")]);
    assert_eq!((told.status, told.header("cache-control")), (503, "no-store"), "{told:?}");
    assert!(told.header("content-type").starts_with("text/html") && told.body.contains("Go back"), "{told:?}");
    assert!(!told.header("retry-after").is_empty() && !told.header("content-security-policy").is_empty(), "{told:?}");
}

#[test]
fn nginx_sends_what_the_door_sends_and_goes_on_without_it() {
    for (base_url, prefix) in [("http://board.test/", "/"), ("https://board.test/boards/", "/boards/")] {
        let site = site(base_url);
        let door = Running::start(site.root());
        let Some(front) = Front::nginx(&site, door.address) else { return };
        same_as_door(&front, &door, prefix, &asset_of(&site));
        siblings_come(&front, &site, prefix, "gzip", ".gz");
        let form = [("board", "tech"), ("thread", "1"), ("body", "hello+nginx")];
        let sent = front.post(&format!("{prefix}post"), "text/html", &form);
        let location = format!("{prefix}tech/thread/1.html#p2");
        assert_eq!((sent.status, sent.header("location")), (303, location.as_str()), "{sent:?}");
        assert_eq!(sent.header("cache-control"), "no-store");
        // Neither the page nor its sibling is older than the answer.
        let page = format!("{prefix}tech/thread/1.html");
        assert!(front.get(&page).body.contains("hello nginx"));
        let packed = front.get_packed(&page, "gzip");
        let length = packed.header("content-length").parse().ok();
        let sibling = fs::metadata(site.path("public/tech/thread/1.html.gz")).map(|meta| meta.len()).ok();
        assert!(length.is_none() || length == sibling, "an old sibling: {}", packed.head);
        if prefix != "/" {
            assert_eq!((front.get("/").status, front.get("/").header("location")), (308, "/boards/"));
            assert_eq!(front.get("/tech/").status, 404);
        }

        staff_gets_in(&front, &site, prefix);
        let address = door.address.to_string();
        door.kill();
        goes_on_without_door(&front, &site, prefix);
        let told = front.post(&format!("{prefix}post"), "application/json", &form);
        let value: serde_json::Value = serde_json::from_str(&told.body).unwrap();
        assert_eq!((told.status, &value["error"]["code"]), (503, &"closed".into()), "{told:?}");
        assert!(told.header("content-type").starts_with("application/json"), "{told:?}");

        let door = Running::start_at(site.root(), &address, &[]);
        let sent = front.post(&format!("{prefix}post"), "text/html", &form);
        assert_eq!(sent.status, 303, "{sent:?}");
        // In the end one address has posted enough.
        let answers: Vec<_> = (0..8).map(|_| front.post(&format!("{prefix}post"), "text/html", &form)).collect();
        let last = answers.last().unwrap();
        assert_eq!((last.status, last.header("cache-control")), (429, "no-store"), "{last:?}");
        assert!(last.body.contains("Too quick"), "{last:?}");
        assert!(door.terminate().success());
    }
}

#[test]
fn caddy_sends_what_the_door_sends_and_goes_on_without_it() {
    for (base_url, prefix) in [("http://board.test/", "/"), ("https://board.test/boards/", "/boards/")] {
        let site = site(base_url);
        let door = Running::start(site.root());
        let Some(front) = Front::caddy(&site, door.address) else { return };
        same_as_door(&front, &door, prefix, &asset_of(&site));
        siblings_come(&front, &site, prefix, "gzip", ".gz");
        siblings_come(&front, &site, prefix, "br", ".br");
        let form = [("board", "tech"), ("thread", "1"), ("body", "hello+caddy")];
        let sent = front.post(&format!("{prefix}post"), "text/html", &form);
        let location = format!("{prefix}tech/thread/1.html#p2");
        assert_eq!((sent.status, sent.header("location")), (303, location.as_str()), "{sent:?}");
        assert!(front.get(&format!("{prefix}tech/thread/1.html")).body.contains("hello caddy"));
        staff_gets_in(&front, &site, prefix);
        door.kill();
        goes_on_without_door(&front, &site, prefix);
    }
}

#[test]
fn the_files_in_deploy_are_what_is_printed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let site = Sandbox::new(THREADS);
    let settings = "title: T\nbase_url: https://board.example.org/\nprecompress: [gzip, brotli]\n";
    site.write("content/site.yaml", settings);
    for (server, file) in [("nginx", "nginx.conf"), ("caddy", "Caddyfile"), ("netlify", "_headers")] {
        let text = printed(&site, &[server, "--public", "/srv/board/public"]);
        let path = root.join("deploy").join(file);
        if std::env::var_os("NEJIBOARD_WRITE_DOCS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &text).unwrap();
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        assert!(there == text, "run the tests once with NEJIBOARD_WRITE_DOCS=1 and commit deploy/{file}");
    }
}

#[test]
fn a_door_on_another_host_gets_a_server_of_its_own() {
    let site = Sandbox::new(THREADS);
    let settings = "base_url: https://www.example.org/\npost_url: https://post.example.org/in\n";
    site.write("content/site.yaml", settings);
    let text = printed(&site, &["nginx", "--certificate", "/etc/c.pem", "--certificate-key", "/etc/k.pem"]);
    let servers: Vec<&str> = text.split("\nserver {").collect();
    assert_eq!(servers.len(), 5, "two, and a redirect to each: {text}");
    assert!(servers[2].contains("server_name www.example.org;") && !servers[2].contains("location = /in"), "{text}");
    assert!(servers[4].contains("server_name post.example.org;") && servers[4].contains("location = /in {"), "{text}");
    // Staff signs in where posts are taken, and finds the style sheet there too.
    for location in ["location /mod/ {", "location /assets/ {"] {
        assert!(servers[4].contains(location) && !servers[2].contains(location), "{location}: {text}");
    }
    // Else what a client says of itself would come through as the proxy's word.
    let told = servers[4].matches("proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;").count();
    assert_eq!(told, servers[4].matches("proxy_pass ").count(), "{text}");
    assert!(servers[2].contains("form-action 'self' https://post.example.org;"), "{text}");
    let text = printed(&site, &["caddy"]);
    assert!(text.contains("\nhttps://www.example.org {") && text.contains("\nhttps://post.example.org {"), "{text}");
    let (pages, door) = text.split_once("\nhttps://post.example.org {").unwrap();
    for handle in ["handle /mod/* {", "handle /assets/* {"] {
        assert!(door.contains(handle) && !pages.contains(handle), "{handle}: {text}");
    }
}

#[test]
fn what_would_end_a_word_of_a_configuration_is_refused() {
    let site = Sandbox::new(THREADS);
    for arguments in [["--door", "a;b"], ["--public", "/srv/my board"], ["--listen", "80;}"], ["--public", "/srv/$uri"]]
    {
        let out = run(site.root(), &[&["headers", "nginx"], &arguments[..]].concat());
        let said = String::from_utf8(out.stderr).unwrap();
        assert!(out.status.code() == Some(3) && said.contains("cannot stand in a configuration"), "{said}");
    }
}

#[test]
fn the_file_of_static_hosts_tells_no_path_twice_how_long_to_keep_it() {
    let site = site("https://board.test/");
    let text = printed(&site, &["netlify"]);
    let settings = SiteSettings { base_url: BaseUrl::parse("https://board.test/").unwrap(), ..SiteSettings::default() };
    let page = Kind::Page.cache_control(&settings);
    for block in ["/", "/index.html", "/tech/*", "/art/*"] {
        assert!(text.contains(&format!("\n{block}\n  Cache-Control: {page}\n")), "{block}: {text}");
    }
    assert!(text.contains("\n/*.json\n  Access-Control-Allow-Origin: *\n"), "{text}");
    assert!(text.contains("\n/assets/*\n  Cache-Control: public, max-age=31536000, immutable\n"), "{text}");
    let all = text.split("\n/*\n").nth(1).unwrap().split("\n\n").next().unwrap();
    assert!(!all.contains("Cache-Control"), "{text}");
    for (name, value) in guards(&settings) {
        assert!(all.contains(&format!("  {name}: {value}")), "{name}: {text}");
    }
}
