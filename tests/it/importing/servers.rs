//! Old addresses lead to new ones behind real servers, set up as the documentation says.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::import;
use crate::proxy::{Front, tool};
use crate::sandbox::Sandbox;

fn docs() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/importing.md")).unwrap()
}

/// The fenced blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let (docs, fence) = (docs(), format!("```{language}\n"));
    docs.split(&fence).skip(1).map(|part| part.split("```").next().unwrap().to_owned()).collect()
}

/// A site with redirects, and what the documentation makes of them for servers.
fn moved() -> Sandbox {
    let site = Sandbox::new("");
    site.write("in/po/res/12.json", r#"{"posts":[{"no":12,"resto":0,"semantic_url":"a-b"}]}"#);
    site.write("in/Old_Name/res/7.json", r#"{"posts":[{"no":7,"resto":0}]}"#);
    site.write("in/po/dat/1046550030.dat", "a<><>2003/03/02 05:20<>x<>t\na<><>2003/03/02 05:21<>y<>\n");
    import(&site, &["vichan", "in/po"]).is_fine();
    import(&site, &["vichan", "in/Old_Name", "--board", "new"]).is_fine();
    import(&site, &["2ch", "in/po/dat"]).is_fine();
    for line in blocks("sh").concat().lines().filter(|line| line.starts_with("sed ")) {
        assert!(Command::new("sh").args(["-c", line]).current_dir(site.root()).status().unwrap().success());
    }
    site
}

#[track_caller]
fn leads(front: &Front) {
    for (from, to) in [
        ("/po/res/12.html", "/po/thread/12.html"),
        ("/po/res/12+50.html?x=1", "/po/thread/12.html"),
        ("/po/res/12-a-b.html", "/po/thread/12.html"),
        ("/Old_Name/res/7.html", "/new/thread/7.html"),
        ("/test/read.cgi/po/1046550030/", "/po/thread/13.html"),
        ("/test/read.cgi/po/1046550030/2", "/po/thread/13.html#p14"),
    ] {
        let reply = front.get(from);
        assert!(reply.status == 301 && reply.header("location").ends_with(to), "{from}: {reply:?}");
    }
    assert_eq!(front.get("/po/res/13.html").status, 404);
}

#[test]
fn nginx_leads_old_addresses_to_new_ones() {
    let Some(nginx) = tool("nginx") else { return };
    let site = moved();
    let blocks: Vec<String> =
        blocks("nginx").iter().map(|block| block.replace("/srv/board", &site.root().display().to_string())).collect();
    let [map, inside] = &blocks[..] else { panic!("{blocks:?}") };
    leads(&Front::start(|folder, address| {
        let user = if rustix::process::getuid().is_root() { " user root;" } else { "" };
        let text = format!(
            "daemon off; worker_processes 1; pid {0}/pid; error_log stderr;{user}\nevents {{}}\nhttp {{ access_log off;\n\
             client_body_temp_path {0}/b; proxy_temp_path {0}/p; fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u;\n\
             scgi_temp_path {0}/s;\n{map}\nserver {{ listen {address};\n{inside}\nlocation / {{ return 404; }} }} }}\n",
            folder.display()
        );
        fs::write(folder.join("nginx.conf"), text).unwrap();
        let mut command = Command::new(&nginx);
        command.arg("-c").arg(folder.join("nginx.conf")).arg("-p").arg(folder);
        command
    }));
}

#[test]
fn caddy_leads_old_addresses_to_new_ones() {
    let Some(caddy) = tool("caddy") else { return };
    let site = moved();
    let block = blocks("caddy").concat().replace("/srv/board", &site.root().display().to_string());
    leads(&Front::start(|folder, address| {
        let path = folder.join("Caddyfile");
        let text = format!(
            "{{\n\tadmin off\n\tauto_https off\n}}\nhttp://:{} {{\nbind 127.0.0.1\n{block}\nrespond 404\n}}\n",
            address.port()
        );
        fs::write(&path, text).unwrap();
        let mut command = Command::new(&caddy);
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(path);
        command.env("HOME", folder).env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
        command
    }));
}
