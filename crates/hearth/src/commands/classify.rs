//! `hearth classify`: a label for each line.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, IsTerminal, Seek, SeekFrom, Write, stdin, stdout};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use serde_json::{Value, json};
use tasks::classify::{self, Chosen, Label};
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use turn::Kind;

use crate::documents::{text_within, within};
use crate::failure::Failure;
use crate::flags::Classify as Flags;
use crate::jobs::{Worker, rounded};
use crate::output::{bearable, note};
use crate::{interrupt, output};

/// Bytes of lines, which all are in memory.
const MOST: u64 = 1 << 30;
/// Bytes of labels: far more than any model reads.
const MOST_OF_LABELS: u64 = 1 << 20;

/// A line that is to be labelled, with its number.
struct Line {
    number: usize,
    text: String,
}

pub fn classify(flags: &Flags) -> Result<(), Failure> {
    interrupt::listen();
    let labels = labels(&flags.labels)?;
    let lines = lines(flags.lines.as_deref())?;
    let mut sink = Sink::open(flags, &labels, &lines)?;
    let left = &lines[sink.done.lines..];
    if sink.done.lines > 0 {
        note(&format!("{} of {} lines were done before", sink.done.lines, lines.len()));
    }
    if left.is_empty() {
        return all_labelled(sink.done.without_label);
    }
    let worker = Worker::start(&flags.job)?;
    let bar = bar(flags, lines.len(), sink.done.lines);
    let (mut next, mut failed) = (left.iter(), sink.done.without_label);
    let tasks = left.iter().map(|line| classify::task(&labels, &line.text));
    let ended = worker.each(tasks, |reply| {
        let Some(line) = next.next() else { return Ok(()) };
        let reply = match reply {
            // What is wrong with all lines is no result of this one.
            Err(fault) if !matches!(fault.kind, Kind::TooLong { .. } | Kind::NoRoom) => {
                return Err(fault.into());
            }
            reply => reply.map_err(|fault| fault.message),
        };
        let chosen = reply.and_then(|reply| classify::read(&reply));
        if let Err(why) = &chosen {
            failed += 1;
            bar.suspend(|| note(&format!("line {}: {why}", line.number)));
        }
        bar.inc(1);
        sink.write(&result(flags.jsonl, line, &chosen))
    });
    bar.finish_and_clear();
    if let (Err(Failure::Interrupted), Some(path)) = (&ended, &flags.out) {
        note(&format!("the same command goes on with {}", path.display()));
    }
    ended?;
    all_labelled(failed)
}

/// Lines without a label are a failure, however many runs it took.
fn all_labelled(without_label: usize) -> Result<(), Failure> {
    match without_label {
        0 => Ok(()),
        1 => Err(Failure::Request("one line has no label".to_owned())),
        count => Err(Failure::Request(format!("{count} lines have no label"))),
    }
}

/// What is written of a line. One that could not be labelled has no label, and keeps its place.
fn result(jsonl: bool, line: &Line, chosen: &Result<Chosen, String>) -> String {
    let Line { number, text } = line;
    match chosen {
        Ok(chosen) => {
            let (label, sure) = (&chosen.name, rounded(chosen.confidence));
            match jsonl {
                true => json!({ "line": number, "label": label, "confidence": sure, "text": text })
                    .to_string(),
                false => format!("{label}\t{sure}\t{text}"),
            }
        }
        Err(why) if jsonl => {
            json!({ "line": number, "label": null, "error": why, "text": text }).to_string()
        }
        Err(_) => format!("\t\t{text}"),
    }
}

fn labels(path: &Path) -> Result<Vec<Label>, Failure> {
    let wrong = |why: String| Failure::Request(format!("{}: {why}", path.display()));
    let text = text_within(path, MOST_OF_LABELS).map_err(wrong)?;
    labels_of(&text).map_err(wrong)
}

/// Labels with what they mean, as TOML: `name = "when it fits"`, in a table `labels` or at the top.
pub fn labels_of(text: &str) -> Result<Vec<Label>, String> {
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let line = text[..at.min(text.len())].matches('\n').count() + 1;
        format!("line {line}: {}", error.message())
    })?;
    let table = table.get_ref();
    let inner = table.iter().find(|(name, _)| &**name.get_ref() == "labels");
    let table = match inner.map(|(_, value)| value.get_ref()) {
        Some(DeValue::Table(_)) if table.len() > 1 => {
            return Err("beside the table `labels` there can be no other labels".to_owned());
        }
        Some(DeValue::Table(inner)) => inner,
        _ => table,
    };
    let mut rows: Vec<_> = table.iter().collect();
    rows.sort_by_key(|(name, _)| name.span().start);
    let label = |(name, meaning): (&Spanned<_>, &Spanned<DeValue>)| {
        let name: &str = AsRef::<str>::as_ref(name.get_ref());
        let meaning = meaning.get_ref().as_str();
        let meaning = meaning.ok_or_else(|| format!("what {name:?} means must be a text"))?;
        Label::new(name, meaning)
    };
    let labels: Vec<Label> = rows.into_iter().map(label).collect::<Result<_, _>>()?;
    match labels.len() {
        0 | 1 => Err("it needs two labels at least, each `name = \"when it fits\"`".to_owned()),
        _ => Ok(labels),
    }
}

/// The lines that say something.
fn lines(path: Option<&Path>) -> Result<Vec<Line>, Failure> {
    let from =
        path.map_or_else(|| "what is piped in".to_owned(), |path| path.display().to_string());
    let unread = |error: io::Error| Failure::Request(format!("{from} cannot be read: {error}"));
    let bytes = match path {
        Some(path) => File::open(path).and_then(|file| within(file, MOST)),
        None => {
            if stdin().is_terminal() {
                note("type lines, and Ctrl-D when that is all");
            }
            within(stdin(), MOST)
        }
    };
    let bytes = bytes.map_err(unread)?;
    let text = rag::decode(&bytes)
        .map_err(|looks| Failure::Request(format!("{from}: not text but {looks}")))?;
    let lines = text.split('\n').enumerate();
    let lines = lines.map(|(i, line)| Line { number: i + 1, text: line.trim().to_owned() });
    Ok(lines.filter(|line| !line.text.is_empty()).collect())
}

fn bar(flags: &Flags, all: usize, done: usize) -> ProgressBar {
    // Lines that run over the screen show how far it is.
    if flags.out.is_none() && stdout().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = output::items(all, "Labelling", "lines");
    bar.set_position(done as u64);
    bar
}

/// Where results go, in the order of the lines.
struct Sink {
    file: Option<(PathBuf, File)>,
    done: Done,
}

/// What is in a file already.
#[derive(Debug, Default, PartialEq)]
struct Done {
    /// Lines that have their results there.
    lines: usize,
    /// Those of them that could not be labelled.
    without_label: usize,
    /// The bytes of all these results.
    bytes: usize,
}

impl Sink {
    fn open(flags: &Flags, labels: &[Label], lines: &[Line]) -> Result<Sink, Failure> {
        let Some(path) = &flags.out else { return Ok(Sink { file: None, done: Done::default() }) };
        let failed = |error: io::Error| Failure::writing(path, &error);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(path).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(Failure::Request(format!("{} is no regular file", path.display())));
        }
        // Held until the process ends.
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                let why = "another process writes its results there";
                return Err(Failure::Request(format!("{}: {why}", path.display())));
            }
            // Some file systems know no locks.
            Err(TryLockError::Error(_)) | Ok(()) => {}
        }
        let there = within(&mut file, 2 * MOST).map_err(failed)?;
        let Some(done) = done(&there, flags.jsonl, labels, lines) else {
            let why = "has something else in it than results for these lines and labels; give \
                another name, or take it away";
            return Err(Failure::Request(format!("{} {why}", path.display())));
        };
        // What a kill has left of a last line is written anew.
        file.set_len(done.bytes as u64).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(Sink { done, file: Some((path.clone(), file)) })
    }

    fn write(&mut self, line: &str) -> Result<(), Failure> {
        let Some((path, file)) = &mut self.file else {
            return Ok(writeln!(stdout(), "{}", bearable(line))?);
        };
        // In one piece, so that a kill leaves no more than the beginning of a line.
        file.write_all(format!("{line}\n").as_bytes())
            .map_err(|error| Failure::writing(path, &error))
    }
}

/// What a file has of these lines; `None` where anything else is in it.
fn done(there: &[u8], jsonl: bool, labels: &[Label], lines: &[Line]) -> Option<Done> {
    let bytes = there.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let results = str::from_utf8(&there[..bytes]).ok()?;
    let mut done = Done { bytes, ..Done::default() };
    for result in results.lines() {
        let label = label_of(result, jsonl, lines.get(done.lines)?)?;
        if !label.is_empty() && labels.iter().all(|known| known.name != label) {
            return None;
        }
        done.lines += 1;
        done.without_label += usize::from(label.is_empty());
    }
    let rest = &there[bytes..];
    let is_ours = |line| match jsonl {
        true => is_begun_json(rest, labels, line),
        false => is_begun(rest, labels, line),
    };
    (rest.is_empty() || lines.get(done.lines).is_some_and(is_ours)).then_some(done)
}

/// The label that a result has for a line, or an empty one; `None` if it is none for this line.
fn label_of(result: &str, jsonl: bool, line: &Line) -> Option<String> {
    if jsonl {
        let result: Value = serde_json::from_str(result).ok()?;
        let label = &result["label"];
        let named = label.as_str().filter(|name| !name.is_empty());
        let label = if label.is_null() { Some("") } else { named };
        let is_its = result["line"] == line.number && result["text"] == *line.text;
        return label.filter(|_| is_its).map(str::to_owned);
    }
    let mut parts = result.splitn(3, '\t');
    let label = parts.next()?;
    (parts.nth(1) == Some(&line.text)).then(|| label.to_owned())
}

/// Whether this is what a kill, or a full disk, has left of a line's result.
fn is_begun(rest: &[u8], labels: &[Label], line: &Line) -> bool {
    let mut names = labels.iter().map(|label| label.name.as_str()).chain([""]);
    let begins_with = |name: &str| {
        let Some(rest) = rest.strip_prefix(name.as_bytes()) else {
            return name.as_bytes().starts_with(rest);
        };
        let Some(rest) = rest.strip_prefix(b"\t") else { return rest.is_empty() };
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        match rest[digits..].strip_prefix(b"\t") {
            Some(text) => line.text.as_bytes().starts_with(text),
            None => rest.len() == digits,
        }
    };
    names.any(begins_with)
}

/// The same for JSON, up to its label.
fn is_begun_json(rest: &[u8], labels: &[Label], line: &Line) -> bool {
    let names = labels.iter().map(|label| Value::from(label.name.as_str()));
    names.chain([Value::Null]).any(|name| {
        let begin = format!("{{\"line\":{},\"label\":{name},", line.number);
        rest.starts_with(begin.as_bytes()) || begin.as_bytes().starts_with(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_results_of_these_lines_are_gone_on_with() {
        let labels = [Label::new("a", "").unwrap(), Label::new("b c", "").unwrap()];
        let line = |number, text: &str| Line { number, text: text.to_owned() };
        let lines = [line(1, "one"), line(3, "two\tx")];
        let done = |there: &str, jsonl| {
            let done = done(there.as_bytes(), jsonl, &labels, &lines)?;
            Some((done.lines, done.without_label, done.bytes))
        };
        let tsv = |there: &str| done(there, false);
        assert_eq!(tsv(""), Some((0, 0, 0)));
        assert_eq!(tsv("a\t0.5\tone\n"), Some((1, 0, 10)));
        assert_eq!(tsv("a\t0.5\tone\nb c\t1\ttwo\tx\n"), Some((2, 0, 22)));
        assert_eq!(tsv("\t\tone\nb c\t0.1"), Some((1, 1, 6)));
        for begun in ["b", "b c\t", "b c\t0.", "b c\t0.5\t", "a\t1.0\ttwo\t", "\t", "\t\ttw"] {
            assert_eq!(tsv(&format!("a\t0.5\tone\n{begun}")), Some((1, 0, 10)), "{begun:?}");
        }
        for other in [
            "keep me",
            "a\t0.5\tother\n",
            "z\t0.5\tone\n",
            "one\n",
            "{\"text\": \"one\"}\n",
            "a\tmy own note",
            "a\t0.5\tother",
            "\t\tother",
        ] {
            assert_eq!(tsv(other), None, "{other}");
        }
        let whole = "a\t0.5\tone\nb c\t1\ttwo\tx\n";
        assert_eq!(tsv(&format!("{whole}a\t1\tthree\n")), None);
        assert_eq!(tsv(&format!("{whole}a\t")), None);
        let jsonl = |there: &str| done(there, true);
        let first = "{\"line\":1,\"label\":\"a\",\"confidence\":0.5,\"text\":\"one\"}\n";
        let bytes = first.len();
        assert_eq!(jsonl(first), Some((1, 0, bytes)));
        for begun in ["{\"li", "{\"line\":3,\"label\":\"b", "{\"line\":3,\"label\":null,\"err"] {
            assert_eq!(jsonl(&format!("{first}{begun}")), Some((1, 0, bytes)), "{begun}");
        }
        let failed = "{\"line\":1,\"label\":null,\"error\":\"long\",\"text\":\"one\"}\n";
        assert_eq!(jsonl(failed), Some((1, 1, failed.len())));
        for other in [
            "a\t0.5\tone\n",
            "{\"line\":2",
            "{\"line\":2,\"label\":\"a\",\"confidence\":0.5,\"text\":\"one\"}\n",
            "{\"label\":\"a\",\"text\":\"one\"}\n",
            "secret",
            "{\"label\":\"z\",\"text\":\"one\"}\n",
            "{\"line\":1,\"label\":\"z",
            "{\"line\":1,\"label\":\"\",\"text\":\"one\"}\n",
        ] {
            assert_eq!(jsonl(other), None, "{other}");
        }
    }
}
