//! The server: requests in, answers and misbehaviour out.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::sync::Mutex;
use std::thread;

use super::{ALWAYS, Asked, Content, Quirk, State};

const STEP: usize = 64 << 10;

pub fn serve(stream: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    while let Some((path, headers)) = request(&mut reader)? {
        // Only proxies are asked for somebody else.
        if let Some(target) = path.strip_prefix("CONNECT ") {
            return pass_on(stream, state, target);
        }
        answer(&mut stream, state, (path, headers))?;
    }
    Ok(())
}

/// As a proxy does.
fn pass_on(mut stream: TcpStream, state: &Mutex<State>, target: &str) -> io::Result<()> {
    state.lock().unwrap().connected.push(target.to_owned());
    let mut other = TcpStream::connect(target)?;
    stream.write_all(b"HTTP/1.1 200 X\r\n\r\n")?;
    let (mut back, mut from) = (stream.try_clone()?, other.try_clone()?);
    thread::spawn(move || io::copy(&mut from, &mut back));
    io::copy(&mut stream, &mut other)?;
    Ok(())
}

type Head = (String, HashMap<String, String>);

fn request(reader: &mut impl BufRead) -> io::Result<Option<Head>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ');
    let path = match (words.next(), words.next()) {
        (Some("CONNECT"), Some(target)) => format!("CONNECT {target}"),
        (_, path) => path.unwrap_or_default().to_owned(),
    };
    let mut headers = HashMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    Ok(Some((path, headers)))
}

/// What is to be sent.
struct Answer {
    content: Content,
    quirk: Option<Quirk>,
}

fn find(state: &mut State, path: &str) -> Option<Answer> {
    let bare = path.split('?').next().unwrap_or_default();
    let key = if state.contents.contains_key(path) { path } else { bare };
    let content = state.contents.get_mut(key)?;
    let quirk = content.quirks.first_mut().map(|(quirk, times)| {
        *times = if *times == ALWAYS { ALWAYS } else { *times - 1 };
        quirk.clone()
    });
    content.quirks.retain(|(_, times)| *times > 0);
    Some(Answer { content: content.clone(), quirk })
}

fn answer(stream: &mut TcpStream, state: &Mutex<State>, head: Head) -> io::Result<()> {
    let (path, headers) = head;
    let (found, refused, number) = {
        let mut state = state.lock().unwrap();
        let wanted = state.token.clone().filter(|_| path.starts_with("/v2/"));
        let refused = wanted
            .filter(|(token, _)| headers.get("authorization") != Some(&format!("Bearer {token}")));
        state.count += 1;
        let number = state.count;
        let (path_asked, headers_asked) = (path.clone(), headers.clone());
        let asked = Asked { number, path: path_asked, headers: headers_asked, sent: 0..0 };
        state.asked.push(asked);
        let found = if refused.is_none() { find(&mut state, &path) } else { None };
        (found, refused, number)
    };
    if let Some((_, realm)) = refused {
        let challenge = format!("Bearer realm=\"{realm}\",service=\"here\",scope=\"a:b:pull\"");
        return plain(stream, 401, &[("WWW-Authenticate", challenge)]);
    }
    let Some(found) = found else { return plain(stream, 404, &[]) };
    match &found.quirk {
        Some(Quirk::Status(status, headers)) => plain(stream, *status, headers),
        Some(Quirk::Redirect(to)) => plain(stream, 302, &[("Location", to.clone())]),
        _ => content(
            stream,
            &found,
            (headers.get("range"), &mut |sent: Range<usize>| {
                let mut state = state.lock().unwrap();
                // It may have been forgotten meanwhile.
                if let Some(asked) = state.asked.iter_mut().find(|asked| asked.number == number) {
                    asked.sent = sent.start as u64..sent.end as u64;
                }
            }),
        ),
    }
}

fn plain(stream: &mut TcpStream, status: u16, headers: &[(&str, String)]) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes())
}

/// Told what was sent so far.
type Note<'a> = &'a mut dyn FnMut(Range<usize>);

fn content(
    stream: &mut TcpStream,
    Answer { content, quirk }: &Answer,
    (range, note): (Option<&String>, Note),
) -> io::Result<()> {
    let quirk = quirk.as_ref();
    let total = content.bytes.len();
    let is_whole = matches!(quirk, Some(Quirk::NoRanges | Quirk::Endless | Quirk::Unmeasured));
    let asked = range.filter(|_| !is_whole).map(|range| parse(range, total));
    if asked.as_ref().is_some_and(|range| range.start >= total) {
        return plain(stream, 416, &[("Content-Range", format!("bytes */{total}"))]);
    }
    let mut bytes = asked.clone().unwrap_or(0..total);
    if matches!(quirk, Some(Quirk::OtherRange)) {
        bytes = bytes.start + 1..bytes.end.min(total - 1) + 1;
    }
    let mut head = format!("HTTP/1.1 {} X\r\n", if asked.is_some() { 206 } else { 200 });
    head.push_str(&format!("Content-Type: {}\r\n", content.kind));
    if asked.is_some() {
        let stated = if let Some(Quirk::Total(total)) = quirk { *total } else { total as u64 };
        let (first, last) = (bytes.start, bytes.end - 1);
        head.push_str(&format!("Content-Range: bytes {first}-{last}/{stated}\r\n"));
    }
    let etag = if let Some(Quirk::Etag(etag)) = quirk { etag } else { "\"v1\"" };
    if !content.headers.iter().any(|(name, _)| *name == "ETag") {
        head.push_str(&format!("ETag: {etag}\r\n"));
    }
    match quirk {
        Some(Quirk::Endless | Quirk::Unmeasured) => head.push_str("Connection: close\r\n"),
        Some(Quirk::Length(length)) => head.push_str(&format!("Content-Length: {length}\r\n")),
        _ => head.push_str(&format!("Content-Length: {}\r\n", bytes.len())),
    }
    for (name, value) in &content.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    let first = bytes.start;
    let mut at = bytes.start;
    while at < bytes.end {
        let mut end = (at + STEP).min(bytes.end);
        let over = io::Error::from(io::ErrorKind::ConnectionAborted);
        match quirk {
            Some(Quirk::Cut(after)) if at - first >= *after => return Err(over),
            Some(Quirk::Cut(after)) => end = end.min(first + after),
            Some(Quirk::Stall(after, pause)) if at - first == *after => thread::sleep(*pause),
            Some(Quirk::Stall(after, _)) if at - first < *after => end = end.min(first + after),
            Some(Quirk::Slow(pause)) => thread::sleep(*pause),
            _ => {}
        }
        let mut part = content.bytes[at..end].to_vec();
        if matches!(quirk, Some(Quirk::Spoiled)) {
            part[0] ^= 1;
        }
        // Before it is sent: who has the last byte may look at once.
        note(first..end);
        stream.write_all(&part)?;
        at = end;
    }
    match quirk {
        Some(Quirk::Endless) => loop {
            stream.write_all(&[0; STEP])?;
        },
        Some(Quirk::Unmeasured | Quirk::Length(_) | Quirk::Cut(_)) => {
            stream.shutdown(std::net::Shutdown::Both)
        }
        _ => Ok(()),
    }
}

/// `bytes=0-9`, cut to what there is.
fn parse(range: &str, total: usize) -> Range<usize> {
    let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
    let end = last.parse().map_or(total, |last: usize| (last + 1).min(total));
    first.parse().unwrap()..end
}
