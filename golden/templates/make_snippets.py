#!/usr/bin/env python3
"""Write snippets.json: small templates, and what Jinja makes of them.

    pip install jinja2 && python make_snippets.py

The environment is the one transformers renders chat templates in: immutable sandbox, trim_blocks, lstrip_blocks, loop
controls, generation blocks, its `tojson`, `raise_exception` and `strftime_now` (with a frozen clock). Snippets that
change a list or dictionary are rendered in a sandbox that allows it, as in render.py.
"""
import datetime
import json
import os

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedEnvironment

NOW = datetime.datetime(2026, 3, 14, 9, 26, 53)

VARIABLES = {
    "name": "Ada",
    "long": "The quick brown fox jumps over the lazy dog",
    "text": " a\tb\nc ",
    "numbers": [3, 1, 2],
    "mixed": [1, 2.5, "x", None, True, [1], {"k": "v"}],
    "floats": [2.0, -0.0, 1e21, 1e-7, 0.1, 1e16, 123456789.125],
    "big": 9007199254740993,
    "d": {"b": 1, "A": 2, "c": {"x": [1, 2]}},
    "odd": {"items": "i", "keys": "k", "get": "g", "values": [1], "title": "t"},
    "people": [{"name": "Bob", "age": 30, "tags": ["x"]}, {"name": "alice", "age": 25}, {"name": "Carol", "age": 30}],
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "image"}]},
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}]},
        {"role": "tool", "content": "{\"ok\": true}"},
    ],
    "tree": [{"n": "a", "kids": [{"n": "b", "kids": []}, {"n": "c", "kids": [{"n": "d", "kids": []}]}]}],
    "none_value": None,
    "yes": True,
    "no": False,
    "empty": "",
    "unicode": "naïve 日本 \U0001f600 é",
}

SNIPPETS = {
    "printing": r"""
{{ none }} {{ none_value }} {{ true }} {{ yes }} {{ False }}
{{ missing }}|{{ missing is defined }}
{{ 1 }} {{ 1.0 }} {{ 1e3 }} {{ 1_000 }} {{ 0xff }} {{ 0b11 }} {{ 0o17 }} {{ -3 }} {{ +3 }}
{{ mixed }}
{{ floats }}
{{ floats | join(' ') }}
{{ d }} {{ {} }} {{ [] }} {{ () }} {{ (1,) }} {{ (1, 2) }}
{{ 1, 2 }}
{{ ["it's", 'say "hi"', "both ' and \"", '\n\t\\', '\x00\x7f', 'é', '\u200d', '\u00a0'] }}
{{ {'a': none, 1: 'x', 2.5: true} }}
{{ 1 == 1.0 }} {{ {1: 'a', 1.0: 'b', true: 'c'} }}
{{ 'a' 'b' "c" }}
{{ '\u00e9\x41\101\d\'' }}
{{ d.keys() }} {{ d.values() }} {{ d.items() }}
{{ range(3) }} {{ range(1, 4) }} {{ range(0, 10, 3) }} {{ range(3) | list }}
{{ big }} {{ big + 1 }} {{ 2 ** 64 }} {{ 2 ** -1 }} {{ 2 ** 0.5 }}
{{ 'x' if no }}|{{ 'x' if yes }}|{{ 'x' if no else 'y' }}
{{ ['x' if no] }}
{{ 3.0 * 2 }} {{ 7 / 2 }} {{ 6 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7.5 % 2 }} {{ -7.5 // 2 }}
{{ unicode }} {{ [unicode] }}
{{ 1e400 }} {{ -1e400 }} {{ [1e400] | tojson }}
{{ 123456789012345678 }} {{ 0.1 + 0.2 }} {{ 1 / 3 }} {{ 100.0 }} {{ 1e15 }} {{ 1e-4 }} {{ 1e-5 }}
{{ {'a': {'b': (1, [2])}} }}
""",
    "operators": r"""
{{ 1 + 2 * 3 }} {{ (1 + 2) * 3 }} {{ 2 ** 3 ** 2 }} {{ -2 ** 2 }} {{ 10 - 3 - 2 }} {{ 100 / 10 / 2 }}
{{ 'a' + 'b' ~ 1 ~ 2 }} {{ 'a' ~ 1 + 2 if no else '' }}
{{ 'a' ~ 1 ~ none ~ true ~ 2.0 ~ missing ~ [1] }}
{{ 'ab' * 3 }} {{ 3 * 'ab' }} {{ 'x' * -1 }}| {{ [1] * 2 }} {{ (1, 2) * 2 }}
{{ [1] + [2] }} {{ (1,) + (2,) }}
{{ true + 1 }} {{ true and 1 }} {{ 0 or 'x' }} {{ not 1 }} {{ not '' }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1.0 == true }} {{ 1 != 2 }} {{ 'a' < 'b' }} {{ [1, 2] < [1, 3] }}
{{ 'a' in 'abc' }} {{ 'z' not in 'abc' }} {{ 1 in [1, 2] }} {{ 'b' in d }} {{ 1 in d.values() }} {{ 1.0 in [1] }}
{{ '' in 'abc' }} {{ 'x' in missing }} {{ none in [none] }}
{{ missing == missing }} {{ missing == none }} {{ none == none }} {{ [1] == [1.0] }} {{ d == d }} {{ (1,) == [1] }}
{{ 1 is number and 2 is number }}
{{ not 1 is string }}
{{ 5 if 1 > 2 else 6 if 0 else 7 }}
{{ -5 | abs }} {{ (-5) | abs }} {{ -numbers[0] }}
{{ '%s and %d' % ('a', 3) }} {{ '%s' % 'x' }} {{ '%5.2f|%-5s|%05d|%x|%%' % (3.14159, 'a', 42, 255) }}
{{ '%(a)s-%(b)r' % {'a': 1, 'b': 'x'} }} {{ '%s' % [1, 2] }} {{ '%c%c' % ('a', 66) }} {{ '%e %g %G' % (12345.678, 0.00001, 1e20) }}
{{ '%+d % d %#x %#o %.3d %*d' % (5, 5, 255, 8, 7, 4, 9) }}
{{ '%r %s %a' % ('é', none, 'x') }}
{{ 'a' if 'x' in ['x'] and not false else 'b' }}
{{ [1, 2, 3][1] }} {{ {'a': 1}['a'] }} {{ {'a': 1}.a }} {{ 'abc'[0] }} {{ 'abc'[-1] }} {{ (1, 2)[0] }}
{{ 1.5 // 1 }} {{ 5 // 0.3 }} {{ 2 ** 10 }} {{ 10 % 3.5 }}
{{ 'abc' > 'abb' }} {{ 'Z' < 'a' }} {{ '10' < '9' }} {{ 1 <= 1.0 }} {{ true == 1 }}
{{ yes and no or 'z' }} {{ [] or {} or 'last' }} {{ 'first' and 'second' }}
{{ 1 in (1, 2) }} {{ (1, 2) in [(1, 2)] }} {{ [1] in [[1]] }}
""",
    "failures": r"""
{{ 'a' + 1 }}
{{ 1 + 'a' }}
{{ [1] + 'a' }}
{{ 'a' + none }}
{{ 'a' + missing }}
{{ missing + 'a' }}
{{ [1] + (2,) }}
{{ 'a' - 'b' }}
{{ 'a' * 'b' }}
{{ 'a' * 1.5 }}
{{ 'a' < 1 }}
{{ none < 1 }}
{{ [1] < ['a'] }}
{{ missing < 1 }}
{{ 1 in 'abc' }}
{{ 1 in 5 }}
{{ 'a' in none }}
{{ missing.attribute }}
{{ missing['key'] }}
{{ d.nothing.deeper }}
{{ missing() }}
{{ d.nothing() }}
{{ 'abc'.nothing() }}
{{ none.strip() }}
{{ 5.upper() }}
{{ messages.foo() }}
{{ 1 / 0 }}
{{ 1 % 0 }}
{{ 1 // 0.0 }}
{{ 5 | length }}
{{ none | length }}
{{ none | list }}
{% for x in none %}{% endfor %}
{% for x in 5 %}{% endfor %}
{% for a, b in [1] %}{% endfor %}
{% for a, b in [(1, 2, 3)] %}{% endfor %}
{% set a, b = [1] %}
{% set d.x = 1 %}
{{ missing | tojson }}
{{ [missing] | tojson }}
{{ {(1, 2): 3} | tojson }}
{{ range(3) | tojson }}
{{ d.items() | tojson }}
{{ {[1]: 2} }}
{{ [3, 'a'] | sort }}
{{ raise_exception('Stop: ' ~ 1) }}
{{ raise_exception("it's \"quoted\" \u00e9") }}
{{ raise_exception(5) }}
{% if true %}{{ raise_exception('inside') }}{% endif %}
{{ 'x' | nofilter }}
{% if true %}{{ 'x' | nofilter }}{% endif %}
{{ 'x' is notest }}
{% include 'x' %}
{{ 'a'.join([1]) }}
{{ 'a'.split('') }}
{{ 'abc'.index('z') }}
{{ [1].index(2) }}
{{ '%d' % 'a' }}
{{ '%s %s' % 'a' }}
{{ '%s' % ('a', 'b') }}
{{ '{}'.format() }}
{{ '{x}'.format(y=1) }}
{{ messages[0].content.items() }}
{{ d | items | length }}
{{ numbers | map('upper') | length }}
{{ range(10) | select('odd') | length }}
{{ 5 | items | list }}
{{ missing | int }}
{{ missing | float }}
{{ missing | round }}
{{ missing | abs }}
{{ 'a' is defined if yes else 'n' }}
{{ 'a' ~ 1 + 2 }}
{% for x, in [(1,)] %}{{ x }}{% endfor %}
{{ [1, 2] | last | upper | nope }}
{{ messages[9].role }}
{{ messages[1].content + 'x' }}
{{ missing ** 2 }}
{{ -missing }}
{{ missing % 2 }}
{{ [] | first + 'x' }}
{{ ([] | first).role }}
{{ d.c.x + 'a' }}
{{ (1).real }}{{ none.x.y }}
{{ numbers.pop }}{{ numbers.pop(99) }}
{{ '{0' .format(1) }}
{{ '}'.format() }}
{{ '{:d}'.format('a') }}
{{ '%y' % 1 }}
{{ '%' % 1 }}
{{ '%(x' % {'x': 1} }}
{{ [1, 2].sort }}{{ [1].push(2) }}
{{ 'a'.upper(1) }}
{{ 'a'.split(1) }}
{{ d.get() }}
{{ d.get([1]) }}
{{ d.items(1) }}
{{ 'x' | trim(1, 2) }}
{{ 'x' | upper(1) }}
{{ 'x' | replace('a') }}
{{ numbers | join(a=1) }}
{{ range() }}
{{ range('a') }}
{{ range(1, 2, 0) }}
{{ 1 is divisibleby 0 }}
{{ 1 is in 5 }}
{{ 'a' is odd }}
{{ none is even }}
{{ numbers | map(5) | list }}
{{ numbers | map('nope') | list }}
{{ numbers | select('nope') | list }}
{{ numbers | selectattr('x', 'nope') | list }}
{{ loop.index }}
{{ caller() }}
{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}
{% macro m(a=1, b) %}{% endmacro %}
{% set true = 1 %}
{% set loop = 1 %}{% for x in loop %}{% endfor %}
{% for loop in [1] %}{% endfor %}
{% continue %}
{% else %}
{% elif 1 %}
{% if 1 %}{% elif %}{% endif %}
{% for x in %}{% endfor %}
{% for in y %}{% endfor %}
{{ 'a' | }}
{{ | upper }}
{{ a. }}
{{ a[ }}
{{ f(a=1, 2) }}
{{ {1} }}
{{ {'a': } }}
{{ not }}
{{ 1 if }}
{{ 'a' if 1 else }}
{% extends 'x' %}
{% import 'x' as y %}
{% endgeneration %}
{% generation %}
{{ a is }}
{{ a not b }}
{{ 1 ! 2 }}
{{ a & b }}
{{ $x }}
{{ 'abc' | dictsort }}
{{ range(1000000) }}
{{ 'a'.startswith(['a']) }}
{{ 'a'.startswith(none) }}
{{ d[1:] }}
{{ missing[1:] }}
{{ none_value[1:] }}
{{ 'a' | round }}
{{ 'x' | abs }}
{{ {}.a.b }}
{{ numbers.append }}{{ numbers.foo.bar }}
{{ dict(1) }}
{{ namespace(1) }}
{{ strftime_now() }}
{{ 1 | join }}
{{ 'x'.replace(1, 2) }}
{{ -'a' }}
{{ -none }}
{{ messages | map(attribute='a.b') | list }}
{{ [1, 2] | sum(attribute='x') }}
{{ ['a', 'b'] | sum }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, 2) }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(b=2) }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, a=2) }}
{% break %}
{% do numbers.append(1) %}
{{ 1 +
{% if yes %}
{{ 'open }}
{% endif %}
{% endfor %}
{% for x in [1] %}{% endif %}
{{ }}
{{ 1 2 }}
{% unknown %}
{# open
{{ [1, }}
{{ a b }}
{% set %}
{% raw %}x
{% if %}x{% endif %}
{{ true is sameas }}
{{ 'a' is divisibleby 2 }}
""",
    "access": r"""
{{ d.b }} {{ d['b'] }} {{ d.get('b') }} {{ d.get('z') }} {{ d.get('z', 5) }} {{ d.c.x[1] }} {{ d['c']['x'][-1] }}
{{ d.nothing }}|{{ d['nothing'] }}|{{ numbers[10] }}|{{ numbers[-10] }}|{{ numbers['a'] }}|{{ numbers.a }}|{{ none.a }}|{{ 5 .a }}
{{ numbers[0:2] }} {{ numbers[::-1] }} {{ numbers[-2:] }} {{ numbers[:-1] }} {{ numbers[5:] }} {{ numbers[::2] }} {{ numbers[2:0:-1] }}
{{ 'hello'[1:3] }} {{ 'hello'[::-1] }} {{ 'hello'[-3:] }} {{ 'hello'[:100] }} {{ unicode[1:8] }} {{ (1, 2, 3)[1:] }}
{{ range(10)[2:5] }} {{ range(5)[-1] }}
{{ odd['items'] }} {{ odd['keys'] }} {{ odd.title }} {{ odd['get'] }} {{ odd.get('items') }}
{% if d.items %}method{% endif %} {% if d['items'] %}also{% endif %} {% if d['items'] is mapping %}no{% else %}not a mapping{% endif %}
{{ d.items is defined }} {{ d.keys is callable }} {{ d.foo is callable }} {{ d.items is callable }}
{{ messages[0].role }} {{ messages[-1]['role'] }} {{ messages[1].content[0].text }}
{{ messages[0]['nope'] is defined }} {{ messages[0].nope is none }}
{{ 'abc'.upper is defined }} {{ 'abc'.nope is defined }}
{{ d.b | string + 'x' }}
{{ numbers[yes] }} {{ numbers[1.0] }}|{{ d[1] }}|{{ d[[1]] }}
{{ {'a b': 1}['a b'] }} {{ {1: 'one'}[1] }} {{ {1: 'one'}[1.0] }} {{ {none: 'n'}[none] }} {{ {(1, 2): 't'}[(1, 2)] }}
{{ people[0].tags[0] }} {{ people[1].tags }}
{{ people.0.name }}
{{ ('a', 'b').0 }}
{{ messages[1:][0].role }} {{ messages[:1] }}
{{ numbers[:numbers|length - 1] }}
{{ [[1, 2], [3, 4]][1][0] }}
{% if false %}{{ 'x' | nofilter }}{% endif %}ok {{ 'x' | nofilter if false else 'ok' }}
{% set ns = namespace(a=1) %}{{ ns.a }} {{ ns['a'] }} {{ ns.b }}|{{ ns.b is defined }}
{{ 'x'.__class__ }}|{{ [].__len__ }}|{{ d.__init__ }}
""",
    "string methods": r"""
{{ 'a,b,c'.split(',') }} {{ ' a  b '.split() }} {{ 'a,b,c'.split(',', 1) }} {{ 'a b'.split(' ', maxsplit=1) }} {{ ''.split() }} {{ ''.split(',') }}
{{ 'a,b,c'.rsplit(',', 1) }} {{ 'a  b  c'.rsplit(none, 1) }} {{ 'abc'.split('b')[-1] }} {{ ' a b '.split(none, 1) }}
{{ 'x</think>y</think>z'.split('</think>')[-1] }} {{ 'x</think>y'.split('</think>')[0].split('<think>')[-1] }}
{{ '  x '.strip() }}|{{ '  x '.lstrip() }}|{{ '  x '.rstrip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'abcba'.strip('ab') }}|{{ '\n\nx\n'.strip('\n') }}|{{ '\x1fx\u3000'.strip() }}
{{ 'abc'.startswith('a') }} {{ 'abc'.startswith(('x', 'a')) }} {{ 'abc'.endswith('c') }} {{ 'abc'.startswith('b', 1) }} {{ 'abc'.endswith('b', 0, 2) }} {{ 'abc'.endswith(('b', 'x')) }}
{{ 'hello world'.title() }} {{ "they're bill's".title() }} {{ 'hELLO'.capitalize() }} {{ 'aBc'.upper() }} {{ 'aBc'.lower() }} {{ 'aBc'.swapcase() }} {{ 'ß'.upper() }} {{ 'ÀÉ'.lower() }}
{{ 'banana'.replace('a', 'o') }} {{ 'banana'.replace('a', 'o', 2) }} {{ 'abc'.replace('', '-') }} {{ 'aaa'.replace('aa', 'b') }}
{{ 'banana'.find('an') }} {{ 'banana'.rfind('an') }} {{ 'banana'.find('x') }} {{ 'banana'.index('n') }} {{ 'banana'.count('a') }} {{ 'banana'.find('a', 2) }} {{ 'éa'.find('a') }} {{ 'banana'.count('an', 2) }} {{ 'abc'.count('') }}
{{ ', '.join(['a', 'b']) }} {{ ''.join([]) }} {{ '-'.join('abc') }} {{ ', '.join({'x': 1, 'y': 2}) }}
{{ 'abc'.isalpha() }} {{ '12'.isdigit() }} {{ 'a1'.isalnum() }} {{ ' '.isspace() }} {{ 'ab'.islower() }} {{ 'AB'.isupper() }} {{ ''.isdigit() }} {{ 'Ab C'.istitle() }} {{ '1.5'.isdecimal() }} {{ 'x1'.isidentifier() }} {{ '²'.isdigit() }} {{ '½'.isnumeric() }} {{ '½'.isdigit() }} {{ 'é'.isascii() }}
{{ 'a\nb\r\nc\n'.splitlines() }} {{ 'a\nb'.splitlines(true) }} {{ ''.splitlines() }}
{{ 'a-b-c'.partition('-') }} {{ 'a-b-c'.rpartition('-') }} {{ 'abc'.partition('-') }} {{ 'abc'.rpartition('-') }}
{{ 'prefix-x'.removeprefix('prefix-') }} {{ 'x.txt'.removesuffix('.txt') }} {{ 'x'.removesuffix('') }}
{{ 'x'.center(5) }}|{{ 'x'.center(4, '*') }}|{{ 'xy'.center(5, '*') }}|{{ 'x'.ljust(3, '.') }}|{{ 'x'.rjust(3) }}|{{ '-5'.zfill(4) }}|{{ '42'.zfill(5) }}|{{ 'a\tb'.expandtabs(4) }}
{{ '{} {}'.format(1, 'a') }} {{ '{0} {1} {0}'.format('a', 'b') }} {{ '{x}-{y}'.format(x=1, y=none) }} {{ '{{}}'.format() }} {{ '{!r} {!s}'.format('a', 'b') }}
{{ '{:>5}|{:<5}|{:^5}|{:*^7}'.format('a', 'b', 'c', 'd') }} {{ '{:05d} {:x} {:#b} {:,} {:+}'.format(42, 255, 5, 1234567, 3) }} {{ '{:.2f} {:e} {:g} {:%} {:.3}'.format(3.14159, 1234.5, 0.0001, 0.25, 2.71828) }}
{{ '{0[a]} {0[b][1]} {1[0]}'.format({'a': 1, 'b': [2, 3]}, 'xyz') }} {{ '{:{w}}|'.format('a', w=4) }} {{ '{:.3s}|{:6.2f}|{:<6}|'.format('abcdef', 2.5, 7) }}
{{ '{:d} {:b} {} {:>6}'.format(true, 5, true, true) }} {{ '{} {}'.format([1], {'a': 1}) }} {{ '{:10.3e}|{:G}|{:_}'.format(12345.678, 1e-10, 1234567) }}
{{ name.upper().lower().capitalize() }} {{ 'abc'.upper()[0] }} {{ ('a' ~ 'b').upper() }} {{ 'abc' | upper | lower }}
{{ 'a' 'b'.upper() }} {{ "x".join(['1']) }} {{ 'İ'.lower() | length }} {{ 'ΑΣ'.lower() }}
""",
    "list and dict methods": r"""
{% set l = [1] %}{% set _ = l.append(2) %}{{ l }} {{ l.append(3) }} {{ l }} {{ l | length }}
{% set l = [1, 2, 3] %}{{ l.pop() }} {{ l.pop(0) }} {{ l }}
{% set ns = namespace(l=[]) %}{% for x in numbers %}{% set _ = ns.l.append(x * 2) %}{% endfor %}{{ ns.l }}
{% set l = [1] %}{% set m = l %}{% set _ = m.append(2) %}{{ l }}
{% set l = [3, 1] %}{% set _ = l.extend([5]) %}{% set _ = l.insert(0, 9) %}{% set _ = l.remove(1) %}{% set _ = l.reverse() %}{{ l }}
{% set l = [1] %}{% set c = l.copy() %}{% set _ = c.append(2) %}{{ l }} {{ c }} {{ l.clear() }} {{ l }}
{% set x = {'a': 1} %}{% set _ = x.update({'b': 2}) %}{{ x }} {{ x.pop('a') }} {{ x }} {{ x.pop('z', 'none') }} {{ x.setdefault('q', 3) }} {{ x }}
{% set x = {'a': 1} %}{% set _ = x.update(b=2) %}{{ x }} {% set _ = x.clear() %}{{ x }}
{{ [1, 2, 1].count(1) }} {{ [1, 2].index(2) }} {{ (1, 1).count(1) }} {{ (3, 4).index(4) }}
{{ d.keys() | list }} {{ d.values() | list }} {{ d.items() | list }}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}
{% for k in d %}{{ k }}{% endfor %} {% for k in d.keys() %}{{ k }}{% endfor %}
{{ d.keys() | length }} {{ d.items() | length }} {{ 'b' in d.keys() }} {{ d.copy() == d }}
{{ dict(a=1) }} {{ dict({'x': 1}, y=2) }} {{ dict([('a', 1)]) }} {{ dict() }}
{{ d | items | list }} {{ missing | items | list }} {{ d | list }} {{ d | length }} {{ d | first }} {{ d | last }}
""",
    "filters": r"""
{{ ' x ' | trim }}|{{ 'xxyxx' | trim('x') }}|{{ none | trim }}|{{ missing | trim }}|{{ 5 | trim }}
{{ 'hello world-foo (bar)' | title }} {{ "it's" | title }} {{ 'hELLO wORLD' | capitalize }} {{ 'a' | upper }} {{ none | upper }} {{ 5 | lower }}
{{ missing | default('d') }} {{ none | default('d') }} {{ '' | default('d', true) }} {{ none | default('d', boolean=true) }} {{ 0 | d(5) }} {{ missing | default }}| {{ missing.x | default('y') if missing is defined else 'z' }}
{{ numbers | first }} {{ numbers | last }} {{ [] | first }}|{{ '' | last }}|{{ 'abc' | first }} {{ 'abc' | last }} {{ missing | first }}|
{{ numbers | length }} {{ 'é日' | length }} {{ d | length }} {{ missing | length }} {{ {} | count }}
{{ numbers | join(', ') }} {{ numbers | join }} {{ ['a', none, 1.5] | join('-') }} {{ people | join(', ', attribute='name') }} {{ 'abc' | join('.') }} {{ d | join }}
{{ numbers | sort }} {{ numbers | sort(reverse=true) }} {{ ['b', 'A', 'c'] | sort }} {{ ['b', 'A', 'c'] | sort(case_sensitive=true) }} {{ people | sort(attribute='age') | map(attribute='name') | list }} {{ people | sort(attribute='age,name') | map(attribute='name') | join(' ') }} {{ numbers | sort(attribute='x') }}
{{ d | dictsort }} {{ d | dictsort(true) }} {{ {'x': 2, 'y': 1} | dictsort(by='value') }} {{ {'x': 2, 'y': 1} | dictsort(reverse=true) }} {{ {2: 'b', 10: 'a'} | dictsort }}
{{ people | map(attribute='name') | list }} {{ numbers | map('string') | list }} {{ ['a', 'b'] | map('upper') | join(',') }} {{ people | map(attribute='tags', default='-') | list }} {{ people | map(attribute='tags') | list }} {{ ['1', 'x'] | map('int', default=7) | list }}
{{ people | selectattr('age', 'equalto', 30) | map(attribute='name') | list }} {{ people | rejectattr('age', 'gt', 26) | map(attribute='name') | list }} {{ people | selectattr('tags') | list | length }} {{ people | selectattr('tags', 'defined') | map(attribute='name') | first }}
{{ numbers | select('odd') | list }} {{ numbers | reject('odd') | list }} {{ [0, 1, '', 'a'] | select | list }} {{ mixed | select('string') | list }} {{ numbers | select('>', 1) | list }} {{ numbers | select('in', [1, 3]) | list }} {{ [none, 1] | reject('none') | list }}
{{ messages | selectattr('role', 'eq', 'user') | list | length }} {{ (messages | selectattr('role', '==', 'tool') | first).content }} {{ messages | map(attribute='role') | join(',') }} {{ messages | rejectattr('role', 'in', ['system', 'tool']) | map(attribute='role') | list }}
{% for age, group in people | groupby('age') %}{{ age }}: {{ group | map(attribute='name') | join(' ') }}; {% endfor %}{% for g in people | groupby('age') %}{{ g.grouper }} {{ g.list | length }} {% endfor %}{{ people | groupby('tags', default='') | length if false else '' }}
{{ [1, 2, 1, 'a', 'A'] | unique | list }} {{ ['b', 'B', 'a'] | unique(case_sensitive=true) | list }} {{ people | unique(attribute='age') | map(attribute='name') | list }}
{{ [1, 2, 3] | reverse | list }} {{ 'abc' | reverse }} {{ [1, 2, 3] | sum }} {{ people | sum(attribute='age') }} {{ [[1], [2]] | sum(start=[]) }} {{ [1.5, 2] | sum }}
{{ [3, 1] | min }} {{ [3, 1] | max }} {{ ['b', 'A'] | min }} {{ [] | max }}| {{ people | max(attribute='age') | tojson }} {{ 'hello' | max }}
{{ '42' | int }} {{ '4.7' | int }} {{ 'x' | int }} {{ 'x' | int(9) }} {{ 3.9 | int }} {{ -3.9 | int }} {{ '0x1f' | int(base=16) }} {{ none | int }} {{ true | int }} {{ ' 7 ' | int }} {{ '1_0' | int }} 
{{ '1.5' | float }} {{ 'x' | float }} {{ 3 | float }} {{ 'x' | float(1.5) }} {{ '1e3' | float }} {{ 'inf' | float }} {{ 'nan' | float }}
{{ 2.5 | round }} {{ 3.5 | round }} {{ 2.675 | round(2) }} {{ 42 | round }} {{ 42.1 | round(0, 'ceil') }} {{ 42.9 | round(method='floor') }} {{ 1234 | round(-2) }} {{ 1250.0 | round(-2) }} {{ 0.5 | round | int }} {{ 3.14159 | round(3) }}
{{ 5 | abs }} {{ -2.5 | abs }} {{ 5 | string + 'x' }} {{ none | string }} {{ 2.0 | string }} {{ [1, 'a'] | string }} {{ true | string | lower }}
{{ 'a\nb\n\nc' | indent }}|{{ 'a\nb' | indent(2, true) }}|{{ 'a\n\nb' | indent(2, blank=true) }}|{{ 'a\nb' | indent('> ') }}|{{ 'a\n' | indent(2) }}|{{ '' | indent(2, true) }}|{{ 'a\nb' | indent(width=1, first=true) }}
{{ long | truncate(20) }} {{ long | truncate(20, true) }} {{ long | truncate(20, end='!') }} {{ long | truncate(100) }} {{ 'abcdefgh' | truncate(5, true, '', 0) }} {{ long | truncate(length=9, leeway=0) }}
{{ long | wordcount }} {{ 'a' | center(5) }}| {{ '<a href="x">&\'' | escape }} {{ '<b>' | safe }} {{ '<b>' | e }} {{ 5 | e }}
{{ '%s-%05.1f' | format('a', 2.25) }} {{ '%(x)s' | format(x=1) }} {{ '100%%' | format }} {{ '%s' | format([1]) }}
{{ [1, 2, 3, 4, 5] | batch(2) | list }} {{ [1, 2, 3] | batch(2, 0) | list }} {{ [1, 2, 3, 4, 5] | slice(2) | list }} {{ [1, 2, 3] | slice(2, 'x') | list }}
{{ 'abc' | list }} {{ d | list }} {{ (1, 2) | list }} {{ range(3) | list }} {{ missing | list }} {{ 'a b' | replace(' ', '_') }} {{ 'aaa' | replace('a', 'b', 2) }} {{ 15 | replace(1, 2) }}
{{ 'x' | attr('upper') is callable }} {{ d | attr('b') is defined }} {{ d | attr('keys') is callable }}
{{ numbers | map('string') | map('upper') | join }} {{ ['a b', 'c'] | map('replace', ' ', '') | list }} {{ [[2, 1], [3]] | map('sort') | list }} {{ [[1, 2], [3]] | map('sum') | list }} {{ [['a'], ['b']] | map('first') | list }} {{ [[1, 2], [3]] | map('join', '-') | list }}
{% filter upper %}abc{{ name }}{% endfilter %} {% filter replace('a', 'b') | upper %}banana{% endfilter %}
{% set x | upper %}abc{% endset %}{{ x }} {% set y | trim | upper %}  z {% endset %}[{{ y }}]
{{ 'a' | default('b') | upper ~ 'c' }} {{ ('a' ~ 'b') | upper }} {{ 'x' ~ 'y' | upper }} {{ 1 + '5' | int }}
{{ [{'a': {'b': 1}}] | map(attribute='a.b') | list }} {{ [[1, 2], [3, 4]] | map(attribute=1) | list }} {{ [[1, 2]] | map(attribute='0') | list }} {{ [(1, 'b'), (2, 'a')] | sort(attribute=1) }}
{{ '' | default('x') }}|{{ false | default('x') }}|{{ false | default('x', true) }}|{{ [] | default('x', true) }}
{{ 'Hello' | lower | replace('l', 'L') | reverse }} {{ 'hello world' | title | replace(' ', '') }}
""",
    "tojson": r"""
{{ d | tojson }} {{ mixed | tojson }} {{ floats | tojson }} {{ 'é"\\\n\t\x01/<>&\'' | tojson }} {{ none | tojson }} {{ (1, 2) | tojson }}
{{ d | tojson(indent=2) }}
{{ mixed | tojson(indent=4) }}
{{ {} | tojson(indent=2) }} {{ [] | tojson(indent=2) }} {{ [[]] | tojson(indent=1) }}
{{ d | tojson(separators=(',', ':')) }} {{ d | tojson(separators=[', ', '=']) }} {{ d | tojson(indent=2, separators=(', ', ': ')) }}
{{ d | tojson(sort_keys=true) }} {{ unicode | tojson(ensure_ascii=true) }} {{ unicode | tojson }} {{ '\x7f\u2028' | tojson }} {{ '\x7f' | tojson(true) }}
{{ {1: 'a', 2.5: 'b', none: 'c', true: 'd'} | tojson }} {{ big | tojson }} {{ 2.0 | tojson }} {{ '' | tojson }}
{{ messages | tojson }}
{{ d | tojson | length }} {{ d | tojson | safe }} {{ 'x: ' ~ d | tojson }} {{ d | tojson(indent='\t') }} {{ d | tojson(indent=0) }}
{{ messages[2].tool_calls[0].function | tojson }} {{ messages[2].tool_calls[0].function.arguments | tojson }}
{{ {'a': [1, {'b': []}], 'c': {}} | tojson(indent=2) }}
{% for m in messages %}{{ m.content | tojson }}{{ ',' if not loop.last }}{% endfor %}
""",
    "tests": r"""
{% for x in mixed %}{{ x is string }},{{ x is number }},{{ x is integer }},{{ x is float }},{{ x is boolean }},{{ x is none }},{{ x is mapping }},{{ x is sequence }},{{ x is iterable }}|{% endfor %}
{{ missing is defined }} {{ missing is undefined }} {{ none is defined }} {{ missing is none }} {{ missing is string }} {{ missing is iterable }} {{ missing is sequence }} {{ missing is mapping }} {{ missing is callable }}
{{ 2 is even }} {{ 3 is odd }} {{ 6 is divisibleby 3 }} {{ 6 is divisibleby(4) }} {{ 1 is eq 1 }} {{ 1 is ne 2 }} {{ 2 is gt 1 }} {{ 2 is lt 1 }} {{ 2 is ge(2) }} {{ 2 is le 2 }} {{ 1 is sameas 1 }} {{ 1 is sameas true }} {{ true is sameas true }} {{ none is sameas none }}
{{ 'abc' is lower }} {{ 'ABC' is upper }} {{ '' is lower }} {{ 1 is in [1] }} {{ 'a' is in 'abc' }} {{ 5 is not in [1] }} {{ true is true }} {{ 1 is true }} {{ false is false }} {{ 0 is false }}
{{ d is mapping }} {{ d is sequence }} {{ d.items() is sequence }} {{ d.items() is iterable }} {{ (1,) is sequence }} {{ range(3) is sequence }} {{ 'a' is sequence }} {{ 5 is iterable }} {{ numbers | map('abs') is sequence }} {{ numbers | map('abs') is iterable }}
{{ range is callable }} {{ 'x' is callable }} {{ 'upper' is filter }} {{ 'nope' is filter }} {{ 'odd' is test }} {{ 'a' is escaped }}
{{ 5 is not none }} {{ not 5 is none }} {{ 5 is not none and 5 is number }} {{ 'x' is string | upper }} {{ x is defined and x }} {{ 'y' if 'a' is defined else 'n' }}
{% set ns = namespace(x=1) %}{{ ns is mapping }} {{ ns is iterable }} {{ ns.x is integer }} {{ ns is defined }}
{% macro m() %}{% endmacro %}{{ m is callable }} {{ m is string }} {{ m() is string }} {{ m is mapping }}
{{ 1.0 is integer }} {{ true is integer }} {{ true is number }} {{ 1.0 is float }} {{ 2.0 is even }} {{ 3.5 is odd }} {{ [] is eq [] }} {{ messages[1].content is string }} {{ messages[1].content is not string }}
""",
    "statements": r"""
{% if yes %}a{% elif no %}b{% else %}c{% endif %} {% if no %}a{% elif yes %}b{% endif %} {% if missing %}x{% else %}y{% endif %} {% if '' or [] or {} or 0 or none %}x{% else %}falsy{% endif %}
{% for x in numbers %}{{ loop.index }}/{{ loop.index0 }}/{{ loop.revindex }}/{{ loop.revindex0 }}/{{ loop.first }}/{{ loop.last }}/{{ loop.length }}:{{ x }} {% endfor %}
{% for x in numbers %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %} {% for x in [] %}a{% else %}nothing{% endfor %}
{% for x in numbers if x > 1 %}{{ loop.index }}:{{ x }}/{{ loop.length }} {% else %}none{% endfor %} {% for x in numbers if x > 5 %}x{% else %}none{% endfor %}
{% for x in numbers %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %} {% for x in numbers %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}
{% for a, b in [(1, 2), (3, 4)] %}{{ a }}-{{ b }} {% endfor %} {% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %} {% for k, v in {'x': 1}.items() %}{{ k }}{{ v }}{% endfor %} {% for a, b in ['xy', 'zw'] %}{{ b }}{{ a }}{% endfor %}
{% for n in tree recursive %}{{ n.n }}{% if n.kids %}({{ loop(n.kids) }}){% endif %}{{ loop.depth }}{{ loop.depth0 }}{% endfor %}
{% for x in 'abc' %}{{ loop.cycle('odd', 'even') }} {% endfor %} {% for x in [1, 1, 2] %}{{ loop.changed(x) }} {% endfor %} {% for c in 'héj' %}[{{ c }}]{% endfor %} {% for x in missing %}x{% else %}empty{% endfor %}
{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }} {% endfor %}{{ x }} {% if yes %}{% set x = 9 %}{% endif %}{{ x }}
{% set ns = namespace(n=0, found=false) %}{% for i in numbers %}{% set ns.n = ns.n + i %}{% if i == 1 %}{% set ns.found = true %}{% endif %}{% endfor %}{{ ns.n }} {{ ns.found }}
{% set a, b = 1, 2 %}{{ a }}{{ b }} {% set c = 1, 2 %}{{ c }} {% set (e, f) = [3, 4] %}{{ e }}{{ f }} {% set g, h = 'xy' %}{{ g }}{{ h }}
{% set x %}block {{ name }}{% endset %}[{{ x }}] {{ x | length }} {% set x %}{% set inner = 5 %}{% endset %}{{ inner }}|
{% set ns = namespace() %}{% set ns.block %}text{% endset %}{{ ns.block }} {% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns.b }}
{% with a = 1, b = name %}{{ a }}{{ b }}{% endwith %}{{ a }}| {% with %}{% set z = 1 %}{{ z }}{% endwith %}{{ z }}|
{% macro m(a, b=2, c='x') %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ m(1) }} {{ m(1, c='y') }} {{ m(b=3, a=0) }} {{ m() }} {{ m(1, 2, 3) }} {{ m(*[1, 2]) }} {{ m(**{'a': 5}) }}
{% macro outer(x) %}{% macro inner(y) %}<{{ y }}>{% endmacro %}{{ inner(x) }}{% endmacro %}{{ outer(1) }} {% macro r(n) %}{{ n }}{% if n > 0 %}{{ r(n - 1) }}{% endif %}{% endmacro %}{{ r(3) }}
{% macro wrap(t) %}<{{ t }}>{{ caller() }}</{{ t }}>{% endmacro %}{% call wrap('b') %}in{{ name }}{% endcall %} {% macro each(l) %}{% for x in l %}{{ caller(x) }}{% endfor %}{% endmacro %}{% call(x) each([1, 2]) %}[{{ x }}]{% endcall %}
{% set g = 'global' %}{% macro m() %}{{ g }}{{ name }}{% endmacro %}{{ m() }} {% macro late() %}{{ later }}{% endmacro %}{% set later = 'now' %}{{ late() }} {% for i in [1] %}{% macro inloop() %}{{ i }}{% endmacro %}{{ inloop() }}{% endfor %}
{{ m2 is defined }} {% macro m2() %}x{% endmacro %}{{ m2 is defined }} {{ m2() | upper }} {{ (m2() ~ 'y') | length }} {% set f = m2 %}{{ f() }} {{ m2.name }}
{% raw %}{{ not }} {% a %}{% endraw %} {# comment #}x{#- c -#} y {% raw -%}  z  {%- endraw %}
{% generation %}gen {{ name }}{% endgeneration %} {% generation %}{% set q = 1 %}{{ q }}{% endgeneration %}{{ q }}| {% for m in messages %}{%- generation -%} {{ m.role }} {%- endgeneration -%}{% endfor %}
{{ strftime_now('%Y-%m-%d') }} {{ strftime_now('%d %b %Y') }} {{ strftime_now('%A, %B %d, %Y %H:%M:%S %j %I %p') }} {{ strftime_now('%y%%') }}
{% set j = joiner(', ') %}{% for x in numbers %}{{ j() }}{{ x }}{% endfor %} {% set j = joiner() %}{{ j() }}{{ j() }}
{% for m in messages %}{% if m.role == 'user' %}{% for c in m.content %}{{ c.type }}{% if not loop.last %},{% endif %}{% endfor %}{% elif m.content is none %}null{% else %}{{ m.content }}{% endif %};{% endfor %}
{% for x in numbers %}{% for y in numbers %}{% if y == x %}{% break %}{% endif %}{{ loop.index }}{% endfor %}{{ loop.index }} {% endfor %}
{% for x in 'ab' %}{% set outer = loop %}{% for y in 'cd' %}{{ outer.index }}.{{ loop.index }} {% endfor %}{% endfor %} {% macro at(l) %}{{ l.index0 }}{% endmacro %}{% for x in 'ab' %}{{ at(loop) }}{% endfor %}
{% for i in range(0, 10, 4) %}{{ i }} {% endfor %}{% for i in range(3, 0, -1) %}{{ i }} {% endfor %}{% for i in range(2, 2) %}x{% else %}e{% endfor %}
{% set x = 5 %}{% with x = x + 1 %}{{ x }}{% endwith %}{{ x }} {% set s = '' %}{% for c in 'ab' %}{% set s = s ~ c %}{% endfor %}[{{ s }}]
{% if 1 %}{% if 0 %}a{% else %}{% if 1 %}b{% endif %}{% endif %}{% endif %} {% for x in [[1, 2], [3]] %}{% for y in x %}{{ y }}{{ loop.last }}{% endfor %}{{ loop.last }}{% endfor %}
{% for x in numbers | sort %}{{ x }}{% endfor %} {% for x in numbers[1:] %}{{ x }}{% endfor %} {% for x in numbers + [9] %}{{ x }}{% endfor %} {% for x in numbers | reverse %}{{ x }}{{ loop.last }}{% endfor %} {% for x in 1, 2 %}{{ x }}{% endfor %}
{% macro u(a, b='default') %}{{ a }}{{ b }}{{ a is defined }}{% endmacro %}{{ u() }} {{ u(none) }} {{ u(b=none) }}
""",
}

# Templates in which white space matters, one per entry.
LAYOUTS = [
    "{% if true %}\n  a\n{% endif %}\nb\n",
    "  {% if true %}\n    a\n  {% endif %}\n  b",
    "x\n  {%- if true -%}\n  a  \n{%- endif -%}\n  y",
    "x\n  {%+ if true +%}\n  a\n  {%+ endif %}\n  y",
    "{{ 1 }}\n{{ 2 }}\n",
    "  {{- 1 -}}  \n  {{ 2 }}\n\n",
    "a\n{# c #}\nb\n  {# d #}  \nc {#- e -#} d\n",
    "{% for x in numbers %}\n{{ x }}\n{% endfor %}\n",
    "{% for x in numbers -%}\n  {{ x }},\n{%- endfor %}",
    "a {% set x = 1 %} b\n   {% set y = 2 %}\nc",
    "a\r\nb\r{% if true %}\r\nc\r\n{% endif %}\r\nd",
    "{%- macro m(x) -%}\n  <{{ x }}>\n{%- endmacro -%}\n\n{{ m(1) }}\n\n{{ m(2) }}\n",
    "{%- macro m(x) %}\n  <{{ x }}>\n{% endmacro %}\n{{ m(1) }}|",
    "{% set x %}\n  a\n{% endset %}\n[{{ x }}]",
    "{%- set x -%}\n  a\n{%- endset -%}\n[{{ x }}]",
    "  {% raw %}\n  {{ x }}\n  {% endraw %}\n  y",
    "{% raw -%}\n  {{ x }}\n  {%- endraw %}\n  y",
    "  {% generation %}\n  a\n  {% endgeneration %}\n  b",
    "a\n  {%- generation -%}\n  b\n  {%- endgeneration -%}\n  c",
    "{% for m in messages %}\n  {% generation %}\n  {{ m.role }}\n  {% endgeneration %}\n{% endfor %}",
    "\n\n{{ 1 }}\n\n",
    "\n",
    "",
    "a\n\n",
    "{% if true %}{% endif %}\n\na",
    "{{ 'a' }}{% if true %}\n\n\nb{% endif %}",
    "\t{% if true %}\tx\t{% endif %}\t\n",
    "a{{ '\\n' }}{%- if true %} b {% endif -%} c",
    "{# a\nb #}\nc{#- d -#}\n\ne",
    "{% filter upper %}\n  a\n{% endfilter %}\nb",
    "{% macro m() %}{% endmacro %}{% call m() %}\n{% endcall %}",
    "{% macro m() %}\n[{{ caller() }}]\n{% endmacro %}\n{% call m() %}\n  x\n{% endcall %}\ny",
    "{% with a = 1 %}\n  {{ a }}\n{% endwith %}\nb",
    "{% for x in [1, 2] %}\n  {% if x == 1 %}\n    {% continue %}\n  {% endif %}\n  {{ x }}\n{% endfor %}\nend",
    "{{-  'a'  -}}   {{ 'b' }}",
    "{ { not }} %} #} {x} {{ '{{' }} {{ '%}' }} {{ \"#}\" }}",
    "{{ {'a': {'b': 1}}['a']['b'] }}{{ {'x': '}}'} }}",
    "{{\n  'multi'\n  ~ 'line'\n}}\n{%\n  set x =\n  1\n%}\n{{ x }}",
    "{%- if messages[0]['role'] == 'system' -%}\n    {%- set loop_messages = messages[1:] -%}\n{%- else -%}\n    x\n{%- endif -%}\n{{ loop_messages | length }}",
    "<|im_start|>{{ 'user' }}\n{%- for m in messages %}\n    {{- '<' + m.role + '>' }}\n{%- endfor %}\n",
]


class Generation(Extension):
    """`{% generation %}`, which only marks its text, as transformers has it."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_text"), [], [], body).set_lineno(line)

    def _text(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def environment(kind):
    env = kind(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = NOW.strftime
    return env


def render(source, kind):
    return environment(kind).from_string(source).render(**json.loads(json.dumps(VARIABLES)))


def case(topic, source):
    found = {"topic": topic, "source": source}
    try:
        try:
            found["expected"] = render(source, ImmutableSandboxedEnvironment)
        except jinja2.exceptions.SecurityError:
            found["expected"] = render(source, SandboxedEnvironment)
            found["mutates"] = True
    except Exception as e:                  # noqa: BLE001 - whatever evaluation trips over
        by_template = type(e) is jinja2.exceptions.TemplateError
        found["error"] = {"type": type(e).__name__, "message": str(e), "by_template": by_template}
    return found


def main():
    cases = [case(topic, line) for topic, text in SNIPPETS.items() for line in text.strip("\n").split("\n")]
    cases += [case("layout", source) for source in LAYOUTS]
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "snippets.json"), "w", encoding="utf-8") as out:
        out.write('{"variables": ' + json.dumps(VARIABLES, ensure_ascii=False) + ',\n"cases": [\n')
        out.write(",\n".join(json.dumps(found, ensure_ascii=False) for found in cases))
        out.write("\n]}\n")
    errors = sum("error" in found for found in cases)
    print(f"{len(cases)} snippets, {errors} of them errors")
    for found in cases:
        if "error" in found and found["topic"] != "failures":
            print("fails:", found["source"], found["error"]["type"], found["error"]["message"])
        if found["topic"] == "failures" and "error" not in found:
            print("does not fail:", found["source"], repr(found["expected"]))


if __name__ == "__main__":
    main()
