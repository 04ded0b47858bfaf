//! What files of rules do together, and what is wrong in them.

use std::fs;
use std::path::PathBuf;

use super::*;

const MINISIGN: &str = "RWTthvgcaKwwUHnsMaUkaE3yKLw6tRT5IegaFSUxvfrseiOAJuJ3dB6+";
const ANOTHER: &str = "RWTLipT2NCNtno9ILD4yvGa0fNqScO5EJnD6BHPNL9YOG8ATN3+Fau1a";
const COSIGN: &str = "-----BEGIN PUBLIC KEY-----\n\
    MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAELDTDpBWS3ai9ODOT1JcvDxVcypOQ\n\
    q6wZJcaZSpuQ6QXPy+z8sVuRt9vlJcKRBx9hBBY/twrNOOjXxF2md/Cz9g==\n\
    -----END PUBLIC KEY-----\n";

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("hearth-trust-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// The policy of the texts of some files, the strongest first.
    fn policy(&self, texts: &[&str]) -> Policy {
        let write = |(i, text): (usize, &&str)| self.write(&format!("{i}.toml"), text);
        let paths: Vec<PathBuf> = texts.iter().enumerate().map(write).collect();
        Policy::read(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>())
    }

    fn why(&self, text: &str) -> String {
        match self.policy(&[text]).check("hf:a/b") {
            Err(Refused::Broken { why, .. }) => why,
            other => panic!("{text} is fine: {other:?}"),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn without_rules_anything_may_be_pulled() {
    let folder = Folder::new("none");
    let none = Policy::read(&[&folder.0.join("absent.toml"), &folder.0.join("a/b/sources.toml")]);
    for policy in [none, folder.policy(&["", "[mirror]\nhf = \"https://hf.firm.example\""])] {
        for source in ["hf:a/b", "https://h.example/x?y=%20", "whatever"] {
            assert_eq!(policy.check(source), Ok(()));
            assert_eq!(policy.keys(source), Ok(Vec::new()));
        }
    }
}

#[test]
fn a_source_must_pass_each_file() {
    let folder = Folder::new("both");
    let policy = folder.policy(&[
        r#"allow = ["hf:Qwen/*", "https://models.firm.example/*"]"#,
        r#"allow = ["hf:*", "ollama:*"]"#,
    ]);
    assert_eq!(policy.check("hf:Qwen/Qwen3-4B-GGUF"), Ok(()));
    let refused = |source: &str| policy.check(source).unwrap_err().to_string();
    let (first, second) = (folder.0.join("0.toml"), folder.0.join("1.toml"));
    let lists = "hf:Qwen/*, https://models.firm.example/*";
    let told = format!("{} does not allow hf:evil/x; it allows {lists}", first.display());
    assert_eq!(refused("hf:evil/x"), told);
    assert!(
        refused("ollama:registry.ollama.ai/library/q").starts_with(&first.display().to_string())
    );
    let by_second = refused("https://models.firm.example/x");
    assert!(by_second.starts_with(&second.display().to_string()), "{by_second}");
    assert!(refused("https://models.firm.example/%78").contains("cannot be compared"));
    assert!(policy.keys("hf:evil/x").is_err());
    let nothing = folder.policy(&["allow = []"]).check("hf:a/b").unwrap_err().to_string();
    assert!(nothing.ends_with("it allows nothing"), "{nothing}");
}

#[test]
fn each_file_with_keys_wants_one_signature() {
    let folder = Folder::new("keys");
    let key = folder.write("firm.pub", &format!("untrusted comment: ours\n{MINISIGN}\n"));
    let pem = folder.write("cosign.pub", COSIGN);
    let firm = format!(
        "[[key]]\nsource = \"hf:ourfirm/*\"\nminisign = {key:?}\n\
         [[key]]\nsource = \"hf:ourfirm/*\"\nminisign = \"{ANOTHER}\"\n\
         [[key]]\nsource = \"oci:registry.firm.example/*\"\ncosign = {pem:?}\n"
    );
    let own = format!(
        "[[key]]\nsource = \"hf:*\"\nminisign = \"{MINISIGN}\"\n\
         [[key]]\nsource = \"oci:registry.firm.example/mine\"\ncosign = '''\n{COSIGN}'''\n\
         [[key]]\nsource = \"file:*\"\nminisign = \"firm.pub\"\n"
    );
    let policy = folder.policy(&[&firm, &own]);
    let names = |source: &str| -> Vec<Vec<String>> {
        let groups = policy.keys(source).unwrap();
        groups.iter().map(|group| group.iter().map(|key| key.name()).collect()).collect()
    };
    let (first, second) = (format!("minisign {MINISIGN}"), format!("minisign {ANOTHER}"));
    let cosign = "cosign sha256:74d3006a8079801bdaafd8c9733a2e0991fd53f9ac5ec9fddb843d5ea85d61e8";
    assert_eq!(names("hf:OurFirm/x"), [vec![first.clone(), second], vec![first.clone()]]);
    assert_eq!(names("hf:other/x"), [[first.clone()]]);
    assert_eq!(names("oci:Registry.firm.example/Mine"), [[cosign], [cosign]]);
    assert_eq!(names("oci:registry.firm.example/a/b"), [[cosign]]);
    assert_eq!(names("file:/srv/x"), [[first]]);
    assert_eq!(names("https://h.example/x"), Vec::<Vec<String>>::new());
    // What cannot be compared cannot be found unsigned either.
    assert!(policy.keys("hf:ourfirm%2fx/y").is_err());
}

#[test]
fn the_first_mirror_counts() {
    let folder = Folder::new("mirrors");
    let policy = folder.policy(&[
        "[mirror]\nhf = \"https://hf.firm.example/\"\n",
        "[mirror]\nhf = \"https://evil.example\"\nollama = \"http://127.0.0.1:8080/x\"\n",
    ]);
    assert_eq!(policy.mirror("hf"), Some("https://hf.firm.example"));
    assert_eq!(policy.mirror("ollama"), Some("http://127.0.0.1:8080/x"));
    assert_eq!(policy.mirror("oci"), None);
    for url in ["http://hf.firm.example", "https://u@h.example", "h.example", "", "https://h?q"] {
        let why = folder.why(&format!("[mirror]\nhf = {url:?}\n"));
        assert!(why.contains("is no mirror"), "{url}: {why}");
    }
}

#[test]
fn what_is_wrong_forbids_everything_and_is_told() {
    let folder = Folder::new("wrong");
    let key = |rest: &str| format!("[[key]]\nsource = \"hf:a/*\"\n{rest}");
    let absent = folder.0.join("absent.pub");
    let cases = [
        ("\nalow = []".to_owned(), "line 2: there is no `alow`; there is allow, mirror and key"),
        ("allow = [".to_owned(), "line 1: "),
        ("allow = []\nallow = []".to_owned(), "line 2: "),
        ("allow = \"hf:*\"".to_owned(), "`allow` must be a list of sources"),
        ("allow = [1]".to_owned(), "this must be a text"),
        ("allow = [\n\"hf:Qwen*\"]".to_owned(), "line 2: \"hf:Qwen*\": a repository of the hub is"),
        ("mirror = 1".to_owned(), "`mirror` must be a table"),
        ("[mirror]\nhg = \"https://h.example\"".to_owned(), "line 2: there is no mirror of `hg`"),
        ("[key]\nsource = \"hf:*\"".to_owned(), "`key` must be a list of tables"),
        ("key = [1]".to_owned(), "a key is a table"),
        (key(""), "has neither `minisign` nor `cosign`"),
        (format!("[[key]]\nminisign = \"{MINISIGN}\""), "has no `source`"),
        (key("minisgn = \"x\""), "line 3: there is no `minisgn`"),
        (key("minisign = \"RWQ\""), "line 3: it is no public key of minisign"),
        (key("cosign = \"-----BEGIN PUBLIC KEY-----\""), "it is no PEM file"),
        (key(&format!("minisign = \"{MINISIGN}\"\ncosign = {COSIGN:?}")), "and not both"),
        (key(&format!("minisign = {absent:?}")), "absent.pub: "),
    ];
    for (text, part) in cases {
        let why = folder.why(&text);
        assert!(why.contains(part), "{text}\n{why}");
    }
    // A good file beside it opens nothing.
    let policy = folder.policy(&["allow = [\"*\"]", "allow = "]);
    assert!(matches!(policy.check("hf:a/b"), Err(Refused::Broken { .. })));
    assert!(matches!(policy.keys("hf:a/b"), Err(Refused::Broken { .. })));
    assert_eq!(policy.mirror("hf"), None);
}

#[test]
fn what_cannot_be_read_forbids_everything() {
    let folder = Folder::new("unreadable");
    fs::create_dir_all(folder.0.join("folder.toml")).unwrap();
    fs::write(folder.0.join("latin.toml"), b"# \xe4\n").unwrap();
    fs::write(folder.0.join("long.toml"), vec![b'\n'; (1 << 20) + 1]).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere", folder.0.join("link.toml")).unwrap();
    let anywhere = ["folder.toml", "latin.toml", "long.toml"];
    let unix: &[&str] = if cfg!(unix) { &["link.toml", "latin.toml/x"] } else { &[] };
    for name in anywhere.iter().chain(unix) {
        let refused = Policy::read(&[&folder.0.join(name)]).check("hf:a/b");
        assert!(matches!(refused, Err(Refused::Broken { .. })), "{name}: {refused:?}");
    }
}

#[test]
fn no_text_is_too_odd_to_be_read() {
    let text = format!(
        "# é\nallow = [\"hf:Qwen/*\", \"https://[::1]:8080/a*\"]\n\
         [mirror]\nhf = \"https://h.example\"\n\
         [[key]]\nsource = \"oci:r.example/*\"\nminisign = \"{MINISIGN}\"\n"
    );
    let path = Path::new("sources.toml");
    assert!(Rules::parse(path, &text).is_ok());
    for at in 0..text.len() {
        for byte in [0, b'"', b'\n', b'[', b'*', b'.', b'%', 0x7f, 0xff, text.as_bytes()[at] ^ 32] {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = Rules::parse(path, &String::from_utf8_lossy(&bytes));
            let _ = Rules::parse(path, &String::from_utf8_lossy(&bytes[..at]));
        }
    }
}
