//! Which package index to ask, and how to read its answer.
//!
//! The HTML form of the "simple" interface is used because every mirror serves it; the JSON form is
//! optional there.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PUBLIC_INDEX: &str = "https://pypi.org/simple";
const PIP_LIMIT: Duration = Duration::from_secs(20);

/// The index that the environment names, or the public one.
pub fn from_environment() -> Option<String> {
    let named = std::env::var("PIP_INDEX_URL").ok().filter(|url| !url.is_empty());
    Some(named.unwrap_or_else(|| PUBLIC_INDEX.to_owned()))
}

/// The index that pip is configured to use, where there is a pip and it has one.
pub fn from_pip() -> Option<String> {
    let mut pip = Command::new("python3")
        .args(["-m", "pip", "config", "get", "global.index-url"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let deadline = Instant::now() + PIP_LIMIT;
    while pip.try_wait().ok()?.is_none() {
        if Instant::now() > deadline {
            pip.kill().ok()?;
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = pip.wait_with_output().ok()?;
    let url = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !url.is_empty()).then_some(url)
}

/// The address of a file that an index page links to, without its checksum.
pub fn archive_url(page_url: &str, page: &str, file: &str) -> Option<String> {
    let links = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    links
        .map(|link| link.replace("&amp;", "&"))
        .map(|link| link.split('#').next().unwrap_or_default().to_owned())
        .find(|link| link.split('?').next().unwrap_or_default().ends_with(&format!("/{file}")))
        .map(|link| resolve(page_url, &link))
}

/// The absolute form of a link found on the page at `base`.
fn resolve(base: &str, link: &str) -> String {
    if link.contains("://") {
        return link.to_owned();
    }
    let host_start = base.find("://").map_or(0, |at| at + 3);
    let host_end = base[host_start..].find('/').map_or(base.len(), |at| host_start + at);
    let (origin, path) = base.split_at(host_end);
    if link.starts_with('/') {
        return format!("{origin}{link}");
    }
    let mut folders: Vec<&str> = path.split('/').skip(1).collect();
    folders.pop();
    for part in link.split('/') {
        match part {
            "." => {}
            ".." => drop(folders.pop()),
            name => folders.push(name),
        }
    }
    format!("{origin}/{}", folders.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE_URL: &str = "https://index.example/simple/thing/";

    #[test]
    fn finds_an_absolute_link_and_drops_its_checksum() {
        let page = r#"<a href="https://files.example/a/thing-1.tar.gz#sha256=00">thing-1</a>
            <a href="https://files.example/b/thing-2.tar.gz#sha256=11">thing-2</a>"#;
        let found = archive_url(PAGE_URL, page, "thing-2.tar.gz");
        assert_eq!(found.as_deref(), Some("https://files.example/b/thing-2.tar.gz"));
        assert_eq!(archive_url(PAGE_URL, page, "thing-3.tar.gz"), None);
        assert_eq!(archive_url(PAGE_URL, page, "2.tar.gz"), None, "only a whole name counts");
    }

    #[test]
    fn resolves_the_relative_links_of_mirrors() {
        let page = r#"<a href="../../files/thing-1.tar.gz?a=1&amp;b=2">thing-1</a>"#;
        let found = archive_url(PAGE_URL, page, "thing-1.tar.gz");
        assert_eq!(found.as_deref(), Some("https://index.example/files/thing-1.tar.gz?a=1&b=2"));
        assert_eq!(resolve(PAGE_URL, "/x/y"), "https://index.example/x/y");
        assert_eq!(resolve(PAGE_URL, "y"), "https://index.example/simple/thing/y");
    }
}
