//! A civil date and time, and its formatting by `strftime_now`.
//!
//! Rendering never reads a clock: the caller says what time it is, so that the same conversation
//! renders to the same text. Knows no time zones; names are English, as in the C locale.

use std::fmt::Write as _;

use super::error::fault;

const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A moment as a wall clock and a calendar on the wall show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime {
    /// The year of the Gregorian calendar, 1 to 9999.
    pub year: u16,
    /// The month, 1 to 12.
    pub month: u8,
    /// The day of the month, 1 to 31.
    pub day: u8,
    /// The hour, 0 to 23.
    pub hour: u8,
    /// The minute, 0 to 59.
    pub minute: u8,
    /// The second, 0 to 59.
    pub second: u8,
}

impl DateTime {
    /// The moment so many seconds after the beginning of 1970, as clocks in UTC show it.
    pub fn from_unix(seconds: u64) -> DateTime {
        let (days, second_of_day) = (seconds / 86_400, (seconds % 86_400) as u32);
        // Years that begin in March end with the leap day, and 400 of them are a whole cycle.
        let days = days + 719_468;
        let (cycle, day_of_cycle) = (days / 146_097, days % 146_097);
        let year_of_cycle = (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36_524
            - day_of_cycle / 146_096)
            / 365;
        let day_of_year =
            day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
        let month = (5 * day_of_year + 2) / 153; // 0 is March
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let year = cycle * 400 + year_of_cycle + u64::from(month >= 10);
        DateTime {
            year: u16::try_from(year).unwrap_or(9999).min(9999),
            month: ((month + 2) % 12 + 1) as u8,
            day: day as u8,
            hour: (second_of_day / 3600) as u8,
            minute: (second_of_day / 60 % 60) as u8,
            second: (second_of_day % 60) as u8,
        }
    }

    /// Days passed since the first of January.
    fn day_of_year(&self) -> u32 {
        let (year, month) = (u32::from(self.year), u32::from(self.month));
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        // The days before each month of a common year.
        let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
        let index = month.clamp(1, 12) as usize - 1;
        before[index] + u32::from(leap && month > 2) + u32::from(self.day) - u32::from(self.day > 0)
    }

    /// The day of the week, Sunday being zero.
    fn weekday(&self) -> u32 {
        let past = u32::from(self.year).saturating_sub(1);
        // The first of January of the year 1 was a Monday.
        (1 + past * 365 + past / 4 - past / 100 + past / 400 + self.day_of_year()) % 7
    }

    fn hour12(&self) -> u8 {
        match self.hour % 12 {
            0 => 12,
            hour => hour,
        }
    }

    fn half(&self) -> &'static str {
        if self.hour < 12 { "AM" } else { "PM" }
    }

    fn day_name(&self) -> &'static str {
        DAYS[self.weekday() as usize]
    }

    fn month_name(&self) -> &'static str {
        MONTHS[usize::from(self.month.clamp(1, 12)) - 1]
    }

    /// The year and week of ISO 8601, whose weeks begin on Monday.
    fn iso_week(&self) -> (u32, u32) {
        let year = u32::from(self.year);
        let monday_based = (self.weekday() + 6) % 7;
        let week = (self.day_of_year() + 10 - monday_based) / 7;
        match week {
            0 => (year.saturating_sub(1), weeks_in(year.saturating_sub(1))),
            53 if weeks_in(year) == 52 => (year + 1, 1),
            week => (year, week),
        }
    }

    /// Formats the moment as Python's `datetime.strftime` does.
    pub(super) fn format(&self, pattern: &str) -> Result<String, minijinja::Error> {
        let mut out = String::new();
        let mut rest = pattern.chars();
        while let Some(c) = rest.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            match rest.next() {
                Some('-') => {
                    let padded = self.directive(rest.next())?;
                    let bare = padded.trim_start_matches(['0', ' ']);
                    out.push_str(if bare.is_empty() { "0" } else { bare });
                }
                directive => out.push_str(&self.directive(directive)?),
            }
            if out.len() > MAX_DATE {
                return Err(fault("strftime_now: the date is too long"));
            }
        }
        Ok(out)
    }

    fn directive(&self, letter: Option<char>) -> Result<String, minijinja::Error> {
        let Some(letter) = letter else { return Ok("%".to_owned()) };
        let weekday = self.weekday();
        let day = self.day_of_year();
        let mut text = String::new();
        let written = match letter {
            'Y' => write!(text, "{}", self.year),
            'y' => write!(text, "{:02}", self.year % 100),
            'C' => write!(text, "{:02}", self.year / 100),
            'm' => write!(text, "{:02}", self.month),
            'd' => write!(text, "{:02}", self.day),
            'e' => write!(text, "{:2}", self.day),
            'H' => write!(text, "{:02}", self.hour),
            'k' => write!(text, "{:2}", self.hour),
            'I' => write!(text, "{:02}", self.hour12()),
            'l' => write!(text, "{:2}", self.hour12()),
            'M' => write!(text, "{:02}", self.minute),
            'S' => write!(text, "{:02}", self.second),
            'f' => write!(text, "000000"),
            'j' => write!(text, "{:03}", day + 1),
            'w' => write!(text, "{weekday}"),
            'u' => write!(text, "{}", (weekday + 6) % 7 + 1),
            'U' => write!(text, "{:02}", (day + 7 - weekday) / 7),
            'W' => write!(text, "{:02}", (day + 7 - (weekday + 6) % 7) / 7),
            'V' => write!(text, "{:02}", self.iso_week().1),
            'G' => write!(text, "{}", self.iso_week().0),
            'p' => write!(text, "{}", self.half()),
            'P' => write!(text, "{}", self.half().to_lowercase()),
            'A' => write!(text, "{}", self.day_name()),
            'a' => write!(text, "{}", &self.day_name()[..3]),
            'B' => write!(text, "{}", self.month_name()),
            'b' | 'h' => write!(text, "{}", &self.month_name()[..3]),
            'F' => return self.format("%Y-%m-%d"),
            'T' | 'X' => return self.format("%H:%M:%S"),
            'R' => return self.format("%H:%M"),
            'r' => return self.format("%I:%M:%S %p"),
            'D' | 'x' => return self.format("%m/%d/%y"),
            'c' => return self.format("%a %b %e %H:%M:%S %Y"),
            'n' => writeln!(text),
            't' => write!(text, "\t"),
            '%' => write!(text, "%"),
            'z' | 'Z' => Ok(()),
            other => return Err(fault(format!("strftime_now does not know %{other}"))),
        };
        written.map_err(|_| fault("strftime_now failed"))?;
        Ok(text)
    }
}

/// No date is this long; a pattern that asks for more is hostile.
const MAX_DATE: usize = 64 * 1024;

/// A year has 53 ISO weeks when it begins or ends on a Thursday.
fn weeks_in(year: u32) -> u32 {
    let ends_on = |year: u32| (year + year / 4 - year / 100 + year / 400) % 7;
    if ends_on(year) == 4 || ends_on(year.saturating_sub(1)) == 3 { 53 } else { 52 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: DateTime = DateTime { year: 2026, month: 3, day: 4, hour: 15, minute: 6, second: 9 };

    #[test]
    fn directives_follow_python() {
        let cases = [
            ("%Y-%m-%d %H:%M:%S", "2026-03-04 15:06:09"),
            ("%d %b %Y", "04 Mar 2026"),
            ("%A, %B %-d, %y", "Wednesday, March 4, 26"),
            ("%a %e %I %p %j %w %u", "Wed  4 03 PM 063 3 3"),
            ("%U %W %V %G", "09 09 10 2026"),
            ("%c|%x|%X", "Wed Mar  4 15:06:09 2026|03/04/26|15:06:09"),
            ("100%%%z%", "100%%"),
        ];
        for (pattern, expected) in cases {
            assert_eq!(NOW.format(pattern).unwrap(), expected, "{pattern}");
        }
    }

    #[test]
    fn weeks_at_the_turn_of_the_year() {
        let on =
            |year, month, day| DateTime { year, month, day, ..NOW }.format("%a %G %V").unwrap();
        assert_eq!(on(2021, 1, 1), "Fri 2020 53");
        assert_eq!(on(2024, 12, 30), "Mon 2025 01");
        assert_eq!(on(2026, 12, 31), "Thu 2026 53");
    }

    #[test]
    fn nonsense_is_an_error_and_no_panic() {
        assert!(NOW.format("%Q").is_err());
        let nowhere = DateTime { year: 0, month: 0, day: 0, hour: 99, minute: 0, second: 0 };
        for letter in 'A'..='z' {
            let _ = nowhere.format(&format!("%{letter}"));
        }
    }
}
