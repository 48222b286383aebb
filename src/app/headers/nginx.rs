//! The configuration of nginx.

use std::fmt::Write;

use super::{CLOSED_JSON, CLOSED_PAGE, CLOSED_SECONDS, Front, TOO_QUICK_PAGE};
use crate::model::Coding;
use crate::model::caching::{Kind, guards};

/// A whole file for `/etc/nginx/conf.d/`.
pub(super) fn write(front: &Front<'_>) -> String {
    let mut out = front.made_for("nginx");
    out.push_str("# It belongs within `http`, as a file in /etc/nginx/conf.d/.\n\n");
    out.push_str(&tables(front));
    let takes_posts_itself = front.other_host().is_none();
    out.push_str(&server(front, front.host(), &(pages(front) + &door(front, takes_posts_itself))));
    if let Some(host) = front.other_host() {
        let rest = "\n    location / {\n        return 404;\n    }\n";
        let inside = post(front) + &staff(front, &["mod/", "assets/"]) + &closed(front) + rest;
        out.push_str(&server(front, Some(host), &inside));
    }
    // Several sites may stand in one nginx.
    out.replace("nejiboard_", &format!("neji_{}_", word(front)))
}

/// The site's address as one word.
fn word(front: &Front<'_>) -> String {
    let address = format!("{}{}", front.host().unwrap_or("site"), front.prefix());
    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    address.trim_end_matches('/').chars().map(word).collect()
}

/// What all answers are looked up in.
fn tables(front: &Front<'_>) -> String {
    let kind = |kind: Kind| kind.cache_control(front.settings()).into_owned();
    let prefix = front.prefix();
    let pattern = prefix.replace('.', r"\.");
    format!(
        "# How often one address may post.
limit_req_zone $binary_remote_addr zone=nejiboard_posts:10m rate=6r/m;

# How long an answer may be kept, by its status and its path.
map \"$status:$uri\" $nejiboard_caching {{
    default {answer};
    \"~^(200|206|304):{pattern}assets/\" \"{asset}\";
    \"~^(200|206|304):{pattern}404\\.html$\" \"{missing}\";
    \"~^(200|206|304):\" \"{page}\";
    \"~^404:\" \"{missing}\";
}}

# Programs on other hosts may read what is for programs.
map $uri $nejiboard_origin {{
    default \"\";
    \"~\\.json$\" \"*\";
}}

# What a poster is told while the door is closed: a page, or JSON.
map $http_accept $nejiboard_closed_type {{
    default \"text/html; charset=utf-8\";
    \"~application/json\" \"application/json; charset=utf-8\";
}}
map $http_accept $nejiboard_closed {{
    default '{CLOSED_PAGE}';
    \"~application/json\" '{CLOSED_JSON}';
}}
",
        answer = kind(Kind::Answer),
        asset = kind(Kind::Asset),
        page = kind(Kind::Page),
        missing = kind(Kind::NotFound),
    )
}

fn server(front: &Front<'_>, host: Option<&str>, inside: &str) -> String {
    let name = host.unwrap_or("_");
    let is_https = front.settings().base_url.as_str().starts_with("https:");
    let mut out = String::new();
    let listen = match (front.listen, &front.certificate) {
        (Some(address), None) => format!("    listen {address};\n"),
        (Some(address), Some((certificate, key))) => {
            format!("    listen {address} ssl http2;\n{}", tls(certificate, key))
        }
        (None, Some((certificate, key))) => {
            let elsewhere = "server {\n    listen 80;\n    listen [::]:80;\n";
            let _ =
                write!(out, "\n{elsewhere}    server_name {name};\n    return 308 https://$host$request_uri;\n}}\n");
            format!("    listen 443 ssl http2;\n    listen [::]:443 ssl http2;\n{}", tls(certificate, key))
        }
        (None, None) if is_https => "    listen 80;\n    listen [::]:80;\n    # TLS is for a proxy in front, for \
                                     `certbot --nginx`, or for `--certificate`.\n"
            .to_owned(),
        (None, None) => "    listen 80;\n    listen [::]:80;\n".to_owned(),
    };
    let _ = write!(out, "\nserver {{\n{listen}    server_name {name};\n    server_tokens off;\n{inside}}}\n");
    out
}

fn tls(certificate: &str, key: &str) -> String {
    format!("    ssl_certificate {certificate};\n    ssl_certificate_key {key};\n")
}

/// The files.
fn pages(front: &Front<'_>) -> String {
    let (prefix, public) = (front.prefix(), front.public.trim_end_matches('/'));
    let packed = front.settings().precompress;
    let mut out = String::from(
        "
    index index.html;
    charset utf-8;
    charset_types text/css text/plain text/xml application/javascript text/javascript application/json
        application/manifest+json image/svg+xml;
    absolute_redirect off;
    # A page that was cached open would be handed out after it changed.
    open_file_cache off;
    # For what is not packed already.
    gzip on;
    gzip_vary on;
    gzip_proxied any;
    gzip_min_length 256;
    gzip_types text/css text/plain text/xml application/javascript text/javascript application/json
        application/manifest+json image/svg+xml;
",
    );
    if packed.has(Coding::Gzip) {
        out.push_str("    gzip_static on;\n");
    }
    if packed.has(Coding::Brotli) {
        out.push_str(
            "    # Needs a module: libnginx-mod-http-brotli-static in Debian and Ubuntu.\n    #brotli_static on;\n",
        );
    }
    let _ = write!(
        out,
        "    error_page 404 {prefix}404.html;

    location {prefix} {{
        {place} {public}/;
{headers}        add_header Access-Control-Allow-Origin $nejiboard_origin;
    }}

    # What begins with a dot is being written.
    location ~ /\\. {{
        return 404;
    }}
",
        place = if prefix == "/" { "root" } else { "alias" },
        headers = headers(front, 8),
    );
    if front.has_two_channel() {
        out.push_str(&two_channel(front));
    }
    if prefix != "/" {
        let bare = prefix.trim_end_matches('/');
        let _ = write!(
            out,
            "
    location = / {{
        return 308 {prefix};
    }}

    location = {bare} {{
        return 308 {prefix};
    }}

    location / {{
        return 404;
    }}
"
        );
    }
    out
}

/// The files of 2ch. Their clients ask for what is behind the bytes that they have, so a part is always one of the plain
/// file; that they take packed answers too does not mean packed parts.
fn two_channel(front: &Front<'_>) -> String {
    let (prefix, public) = (front.prefix(), front.public.trim_end_matches('/'));
    let no_siblings = match front.settings().precompress.is_empty() {
        true => "",
        false => "        gzip_static off;\n        #brotli_static off;\n",
    };
    let location = |pattern: &str, media_type: &str| {
        format!(
            "
    location ~ ^{prefix}({pattern})$ {{
        alias {public}/$1;
        types {{ }}
        default_type {media_type};
        charset Shift_JIS;
{no_siblings}        if ($http_range) {{
            gzip off;
        }}
{headers}    }}
",
            prefix = prefix.replace('.', r"\."),
            headers = headers(front, 8),
        )
    };
    "\n    # As the clients of 2ch read them.".to_owned()
        + &location(r"[a-z0-9]+/(?:subject\.txt|SETTING\.TXT|dat/[0-9]+\.dat)", "text/plain")
        + &location(r"bbsmenu\.html", "text/html")
}

/// What all files bear. Headers of an outer block would be gone in a block that has its own.
fn headers(front: &Front<'_>, indent: usize) -> String {
    let mut out = format!("{:indent$}add_header Cache-Control $nejiboard_caching always;\n", "");
    for (name, value) in guards(front.settings()) {
        let _ = writeln!(out, "{:indent$}add_header {name} \"{value}\" always;", "");
    }
    out
}

/// The ways to the door.
fn door(front: &Front<'_>, takes_posts: bool) -> String {
    let health = format!(
        "
    location = {}healthz {{
        proxy_pass http://{};
        proxy_connect_timeout 3s;
        error_page 502 504 = @nejiboard_closed;
    }}
",
        front.prefix(),
        front.door
    );
    let posts = match takes_posts {
        true => post(front) + &staff(front, &["mod/"]),
        false => String::new(),
    };
    posts + &clients(front) + &health + &closed(front)
}

/// What clients of 2ch ask of the door, on the host of the pages in any case: they know no other.
fn clients(front: &Front<'_>) -> String {
    match front.has_two_channel() {
        true => post_at(front, &format!("{}test/bbs.cgi", front.prefix())) + &staff(front, &["test/read.cgi/"]),
        false => String::new(),
    }
}

fn post(front: &Front<'_>) -> String {
    post_at(front, &front.post_path())
}

fn post_at(front: &Front<'_>, path: &str) -> String {
    format!(
        "
    location = {path} {{
        limit_req zone=nejiboard_posts burst=5 nodelay;
        limit_req_status 429;
        # More than the door takes, so that it is the one that says so.
        client_max_body_size 2m;
        proxy_pass http://{door};
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_connect_timeout 3s;
        proxy_read_timeout 30s;
        # A post is not sent twice.
        proxy_next_upstream off;
        error_page 429 @nejiboard_too_quick;
        error_page 502 504 = @nejiboard_closed;
    }}
",
        door = front.door,
    )
}

/// The pages of staff, and what else their host needs of the door.
fn staff(front: &Front<'_>, paths: &[&str]) -> String {
    paths.iter().fold(String::new(), |mut out, path| {
        let _ = write!(
            out,
            "
    location {prefix}{path} {{
        client_max_body_size 2m;
        proxy_pass http://{door};
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_connect_timeout 3s;
        proxy_read_timeout 30s;
        proxy_next_upstream off;
        error_page 502 504 = @nejiboard_closed;
    }}
",
            prefix = front.prefix(),
            door = front.door,
        );
        out
    })
}

/// What is told in the place of the door.
fn closed(front: &Front<'_>) -> String {
    let headers = headers(front, 8);
    format!(
        "
    location @nejiboard_closed {{
        types {{ }}
        default_type \"\";
        add_header Content-Type $nejiboard_closed_type always;
        add_header Retry-After {CLOSED_SECONDS} always;
{headers}        return 503 $nejiboard_closed;
    }}

    location @nejiboard_too_quick {{
        types {{ }}
        default_type \"text/html; charset=utf-8\";
        add_header Retry-After 60 always;
{headers}        return 429 '{TOO_QUICK_PAGE}';
    }}
"
    )
}
