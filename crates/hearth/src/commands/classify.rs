//! `hearth classify`: a label for each line.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Read, Seek, SeekFrom, Write, stdin, stdout};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use serde_json::{Value, json};
use tasks::classify::{self, Chosen, Label};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::failure::Failure;
use crate::flags::Classify as Flags;
use crate::jobs::{Worker, rounded};
use crate::output::{bearable, note};
use crate::{interrupt, output};

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
    let left = &lines[sink.done..];
    if left.is_empty() {
        note(&format!("all {} lines are labelled", lines.len()));
        return Ok(());
    }
    if sink.done > 0 {
        note(&format!("{} lines were labelled before; going on", sink.done));
    }
    let worker = Worker::start(&flags.job)?;
    let bar = bar(flags, lines.len(), sink.done);
    let (mut next, mut failed) = (left.iter(), 0);
    let tasks = left.iter().map(|line| classify::task(&labels, &line.text));
    let ended = worker.each(tasks, |reply| {
        let Some(line) = next.next() else { return Ok(()) };
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
    match failed {
        0 => Ok(()),
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
    let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
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
    let mut bytes = Vec::new();
    match path {
        Some(path) => File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)),
        None => {
            if stdin().is_terminal() {
                note("type lines, and Ctrl-D when that is all");
            }
            stdin().read_to_end(&mut bytes)
        }
    }
    .map_err(unread)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut lines = Vec::new();
    for (i, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let number = i + 1;
        let text = str::from_utf8(line).map_err(|_| {
            Failure::Request(format!("{from}: line {number} is no UTF-8; save it as that"))
        })?;
        let text = text.trim().to_owned();
        if !text.is_empty() {
            lines.push(Line { number, text });
        }
    }
    Ok(lines)
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
    /// Lines whose results are there already.
    done: usize,
}

impl Sink {
    fn open(flags: &Flags, labels: &[Label], lines: &[Line]) -> Result<Sink, Failure> {
        let Some(path) = &flags.out else { return Ok(Sink { file: None, done: 0 }) };
        let failed = |error: io::Error| Failure::writing(path, &error);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(path).map_err(failed)?;
        let mut there = Vec::new();
        file.read_to_end(&mut there).map_err(failed)?;
        let Some((done, whole)) = done(&there, flags.jsonl, labels, lines) else {
            let why = "has something else in it than results for these lines and labels; give \
                another name, or take it away";
            return Err(Failure::Request(format!("{} {why}", path.display())));
        };
        // What a kill has left of a last line is written anew.
        file.set_len(whole as u64).map_err(failed)?;
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

/// How many lines have their results in a file, and the bytes of these; `None` where anything else
/// is in it.
fn done(there: &[u8], jsonl: bool, labels: &[Label], lines: &[Line]) -> Option<(usize, usize)> {
    let whole = there.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let results = str::from_utf8(&there[..whole]).ok()?;
    let known = |name: &str| labels.iter().any(|label| label.name == name);
    let mut done = 0;
    for result in results.lines() {
        let line = lines.get(done)?;
        let is_this = match jsonl {
            true => serde_json::from_str(result).is_ok_and(|result: Value| {
                let label = &result["label"];
                result["text"] == *line.text
                    && (label.is_null() || label.as_str().is_some_and(known))
            }),
            false => {
                let mut parts = result.splitn(3, '\t');
                let label = parts.next()?;
                (label.is_empty() || known(label)) && parts.nth(1) == Some(&line.text)
            }
        };
        if !is_this {
            return None;
        }
        done += 1;
    }
    // The rest may be what a kill has left of the next result, and nothing else.
    let rest = &there[whole..];
    let number = lines.get(done).map_or(0, |line| line.number);
    let begins =
        |begin: String| rest.starts_with(begin.as_bytes()) || begin.as_bytes().starts_with(rest);
    let is_ours = match jsonl {
        true => begins(format!("{{\"line\":{number},\"label\":")),
        false => labels.iter().any(|label| begins(format!("{}\t", label.name))) || rest == b"\t",
    };
    (rest.is_empty() || (done < lines.len() && is_ours)).then_some((done, whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_results_of_these_lines_are_gone_on_with() {
        let labels = [Label::new("a", "").unwrap(), Label::new("b c", "").unwrap()];
        let line = |number, text: &str| Line { number, text: text.to_owned() };
        let lines = [line(1, "one"), line(3, "two\tx")];
        let tsv = |there: &str| done(there.as_bytes(), false, &labels, &lines);
        assert_eq!(tsv(""), Some((0, 0)));
        assert_eq!(tsv("a\t0.5\tone\n"), Some((1, 10)));
        assert_eq!(tsv("a\t0.5\tone\nb c\t1\ttwo\tx\n"), Some((2, 22)));
        assert_eq!(tsv("\t\tone\nb c\t0.1"), Some((1, 6)));
        assert_eq!(tsv("a\t0.5\tone\nb"), Some((1, 10)));
        for other in
            ["keep me", "a\t0.5\tother\n", "z\t0.5\tone\n", "one\n", "{\"text\": \"one\"}\n"]
        {
            assert_eq!(tsv(other), None, "{other}");
        }
        let whole = "a\t0.5\tone\nb c\t1\ttwo\tx\n";
        assert_eq!(tsv(&format!("{whole}a\t1\tthree\n")), None);
        assert_eq!(tsv(&format!("{whole}a\t")), None);
        let jsonl = |there: &str| done(there.as_bytes(), true, &labels, &lines);
        let first = "{\"line\":1,\"label\":\"a\",\"confidence\":0.5,\"text\":\"one\"}\n";
        assert_eq!(jsonl(first), Some((1, first.len())));
        assert_eq!(jsonl(&format!("{first}{{\"line\":3,\"label\":\"b")), Some((1, first.len())));
        assert_eq!(jsonl(&format!("{first}{{\"li")), Some((1, first.len())));
        for other in
            ["a\t0.5\tone\n", "{\"line\":2", "secret", "{\"label\":\"z\",\"text\":\"one\"}\n"]
        {
            assert_eq!(jsonl(other), None, "{other}");
        }
    }
}
