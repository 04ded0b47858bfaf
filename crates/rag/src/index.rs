//! An index of passages by their words, in memory.
//!
//! SQLite's FTS5 counts the words and ranks by BM25. What a word is decides
//! [`words`](crate::words): SQLite is given stems only, and keeps no text.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use crate::error::Error;
use crate::passages::Passage;
use crate::words::{Word, words};

const TABLE: &str = "CREATE VIRTUAL TABLE passages USING fts5(
    stems, content = '', tokenize = 'unicode61 remove_diacritics 2')";
const ADD: &str = "INSERT INTO passages (rowid, stems) VALUES (?1, ?2)";
/// The better, the smaller is what FTS5 calls the rank.
const FIND: &str = "SELECT rowid, -bm25(passages) FROM passages WHERE passages MATCH ?1";

/// Of a question no more different words are looked for.
const MOST_WORDS: usize = 64;
/// A shorter word is looked for as a whole only, not as the beginning or a part of others.
const LEAST_OF_PART: usize = 4;
/// So many words of the index may stand for one of the question that is not in it.
const MOST_RELATED: usize = 16;
/// What such a word counts, beside one that is found as it was asked.
const WEIGHT_OF_RELATED: f64 = 0.5;

/// Passages of any number of documents, found by their words.
pub struct Index {
    database: Connection,
    passages: Vec<Passage>,
    /// All stems that are in the index.
    stems: BTreeSet<String>,
}

/// A passage that was found.
#[derive(Debug, Clone, Copy)]
pub struct Hit<'a> {
    /// The passage.
    pub passage: &'a Passage,
    /// How well it fits by BM25, to be compared with others of the same search. It is zero when no
    /// word of the question is in any passage.
    pub score: f64,
}

impl Index {
    /// An index of nothing.
    ///
    /// # Errors
    /// When the database cannot be made, which takes a little memory.
    pub fn new() -> Result<Index, Error> {
        let database = Connection::open_in_memory()?;
        database.execute_batch(TABLE)?;
        Ok(Index { database, passages: Vec::new(), stems: BTreeSet::new() })
    }

    /// Adds the passages of a document.
    ///
    /// # Errors
    /// When the database fails. Then none of them is added.
    pub fn add(&mut self, passages: Vec<Passage>) -> Result<(), Error> {
        let transaction = self.database.transaction()?;
        let mut add = transaction.prepare(ADD)?;
        let mut stems = BTreeSet::new();
        for (number, passage) in (self.passages.len() as i64..).zip(&passages) {
            let mut line = String::with_capacity(passage.text().len());
            for Word { stem, .. } in words(passage.text()) {
                line.push_str(&stem);
                line.push(' ');
                if !self.stems.contains(&stem) {
                    stems.insert(stem);
                }
            }
            add.execute((number, line))?;
        }
        drop(add);
        transaction.commit()?;
        self.passages.extend(passages);
        self.stems.append(&mut stems);
        Ok(())
    }

    /// The passages that fit a question best, at most `most` of them and the best first; of equal
    /// ones the one that was added first. When no word of the question is in any passage these are
    /// the first ones, because a short document may answer what it does not name.
    ///
    /// # Errors
    /// When the database fails.
    pub fn search(&self, question: &str, most: usize) -> Result<Vec<Hit<'_>>, Error> {
        let mut scores = BTreeMap::new();
        let (known, related) = self.terms(question);
        self.find(&known, 1.0, &mut scores)?;
        self.find(&related, WEIGHT_OF_RELATED, &mut scores)?;
        if scores.is_empty() {
            let first = self.passages.iter().take(most);
            return Ok(first.map(|passage| Hit { passage, score: 0.0 }).collect());
        }
        let found = scores.into_iter();
        let mut hits: Vec<Hit<'_>> = found
            .filter_map(|(number, score)| {
                self.passages.get(number).map(|passage| Hit { passage, score })
            })
            .collect();
        // Stable, so that equals stay in the order in which they were added.
        hits.sort_by(|one, other| other.score.total_cmp(&one.score));
        hits.truncate(most);
        Ok(hits)
    }

    /// What is looked for: the words of the question that are in the index, as phrases of FTS5, and
    /// words of the index that have something of those that are not.
    fn terms(&self, question: &str) -> (Vec<String>, Vec<String>) {
        let (mut known, mut related) = (Vec::new(), Vec::new());
        for stem in asked(question) {
            let is_known = self.stems.contains(&stem);
            let is_long = stem.chars().count() >= LEAST_OF_PART;
            let begins = is_long && self.begins(&stem);
            if is_known {
                known.push(format!("\"{stem}\""));
            }
            // Both, so that the word itself counts more than what only begins with it.
            if begins {
                known.push(format!("\"{stem}\" *"));
            }
            if !is_known && !begins {
                related.extend(self.related(&stem));
            }
        }
        (known, related)
    }

    /// Whether a stem of the index begins so.
    fn begins(&self, beginning: &str) -> bool {
        let next = self.stems.range(beginning.to_owned()..).next();
        next.is_some_and(|stem| stem.starts_with(beginning))
    }

    /// German writes several words as one: `Frist` is in `Kündigungsfrist`, whichever is asked for.
    fn related(&self, stem: &str) -> Vec<String> {
        let length = |word: &str| word.chars().count();
        let is_related = |known: &&String| {
            let (short, long) =
                if known.len() < stem.len() { (&***known, stem) } else { (stem, &***known) };
            length(short) >= LEAST_OF_PART && long.contains(short)
        };
        let mut found: Vec<&String> = self.stems.iter().filter(is_related).collect();
        // What has most in common comes first.
        found.sort_by_key(|known| length(known).abs_diff(length(stem)));
        found.into_iter().take(MOST_RELATED).map(|known| format!("\"{known}\"")).collect()
    }

    /// Adds to the scores of all passages that have one of the terms.
    fn find(
        &self,
        terms: &[String],
        weight: f64,
        scores: &mut BTreeMap<usize, f64>,
    ) -> Result<(), Error> {
        if terms.is_empty() {
            return Ok(());
        }
        let mut find = self.database.prepare(FIND)?;
        let found = find.query_map([terms.join(" OR ")], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for row in found {
            let (number, score): (i64, f64) = row?;
            *scores.entry(number as usize).or_default() += weight * score;
        }
        Ok(())
    }
}

/// The different words of a question, without those that say nothing unless there are no others.
fn asked(question: &str) -> Vec<String> {
    let words: Vec<Word> = words(question).collect();
    let says_something = words.iter().any(|word| !word.is_stop_word);
    let mut stems: Vec<String> = Vec::new();
    for word in words {
        let is_left = !word.is_stop_word || !says_something;
        if is_left && stems.len() < MOST_WORDS && !stems.contains(&word.stem) {
            stems.push(word.stem);
        }
    }
    stems
}

#[cfg(test)]
mod tests;
