//! Which filters there are.

use minijinja::value::{Rest, ValueOrKwargs};
use minijinja::{Environment, State};

use super::numbers::{absolute, float, int, round};
use super::select::{group_by, map, reject, reject_attr, select, select_attr};
use super::sequences::{
    batch, dict_items, dict_sort, first, join, last, length, list, maximum, minimum, reverse,
    slice, sort, sum, unique,
};
use super::words::{
    attr, capitalize, center, default, escape, format, indent, lower, replace, string, title,
    to_json, trim, truncate, upper, word_count,
};
use super::{Calling, Plain, call_calling, call_plain};

const PLAIN: [(&str, Plain); 40] = [
    ("abs", absolute),
    ("attr", attr),
    ("batch", batch),
    ("capitalize", capitalize),
    ("center", center),
    ("count", length),
    ("d", default),
    ("default", default),
    ("dictsort", dict_sort),
    ("e", escape),
    ("escape", escape),
    ("first", first),
    ("float", float),
    ("forceescape", escape),
    ("format", format),
    ("indent", indent),
    ("int", int),
    ("items", dict_items),
    ("join", join),
    ("last", last),
    ("length", length),
    ("list", list),
    ("lower", lower),
    ("max", maximum),
    ("min", minimum),
    ("replace", replace),
    ("reverse", reverse),
    ("round", round),
    ("safe", string),
    ("slice", slice),
    ("sort", sort),
    ("string", string),
    ("sum", sum),
    ("title", title),
    ("tojson", to_json),
    ("trim", trim),
    ("truncate", truncate),
    ("unique", unique),
    ("upper", upper),
    ("wordcount", word_count),
];

const CALLING: [(&str, Calling); 6] = [
    ("groupby", group_by),
    ("map", map),
    ("reject", reject),
    ("rejectattr", reject_attr),
    ("select", select),
    ("selectattr", select_attr),
];

/// Whether templates may use this filter.
pub(crate) fn is_filter(name: &str) -> bool {
    let is_known = PLAIN.iter().any(|(known, _)| *known == name);
    is_known || CALLING.iter().any(|(known, _)| *known == name)
}

pub(super) fn register(environment: &mut Environment<'static>) {
    for (name, filter) in PLAIN {
        environment.add_filter(
            name,
            move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
                call_plain(filter, state, &args.into_values())
            },
        );
    }
    for (name, filter) in CALLING {
        environment.add_filter(
            name,
            move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
                call_calling(filter, state, &args.into_values())
            },
        );
    }
}
