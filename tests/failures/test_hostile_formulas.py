"""Hostile and broken texts given as formulas: one sentence each, at once, and nothing is run."""

import ast
import builtins
import sys
import time
from contextlib import contextmanager

import pytest

from meanfield_pde.errors import InputError
from meanfield_pde.problem.formula import Formula, parsed

VARIABLES = ("x", "y", "w")

# texts, and what the sentence must mention
ESCAPES = [
    ("__import__('os').system('touch sentinel')", "U+0027"),
    ('__import__("os")', "U+0022"),
    ("__import__(x)", "'__import__' before a parenthesis"),
    ("open('sentinel', 'w')", "U+0027"),
    ("open(x)", "'open' before a parenthesis"),
    ("eval(x)", "'eval' before a parenthesis"),
    ("exec(x)", "'exec' before a parenthesis"),
    ("compile(x, y, w)", "'compile' before a parenthesis"),
    ("exit()", "'exit' before a parenthesis"),
    ("breakpoint()", "'breakpoint' before a parenthesis"),
    ("getattr(x, y)", "'getattr' before a parenthesis"),
    ("globals()", "'globals' before a parenthesis"),
    ("print(x)", "'print' before a parenthesis"),
    ("x.real", "'x.real'"),
    ("x.__class__", "'x.__class__'"),
    ("x.__class__.__bases__", "'x.__class__.__bases__'"),
    ("().__class__", "'().__class__'"),
    ("(1).__class__", "'(1).__class__'"),
    ("1..real", "'1..real'"),
    ("x.tofile(y)", "'x.tofile' before a parenthesis"),
    ("sin.__call__(x)", "'sin.__call__' before a parenthesis"),
    ("np.sin(x)", "'np.sin' before a parenthesis"),
    ("os.system(x)", "'os.system' before a parenthesis"),
    ("sin(x)(y)", "'sin(x)' before a parenthesis"),
    ("(sin)(x)(y)", "before a parenthesis"),
    ("2(x + y)", "'2' before a parenthesis"),
    ("x(y)", "'x' before a parenthesis"),
    ("pi(x)", "'pi' before a parenthesis"),
    ("__builtins__", "'__builtins__'"),
    ("__name__", "'__name__'"),
    ("__debug__", "'__debug__'"),
    ("_", "'_'"),
    ("self", "'self'"),
    ("arguments", "'arguments'"),
]
SYNTAX = [
    ("lambda x: x", "U+003A"),
    ("(lambda: 0)()", "U+003A"),
    ("(z := x)", "U+003A"),
    ("[x for x in y]", "U+005B"),
    ("{x for x in y}", "U+007B"),
    ("{x: y}", "U+007B"),
    ("(x for x in y)", "'(x for x in y)'"),
    ("sin(x for x in y)", "'(x for x in y)'"),
    ("x[0]", "U+005B"),
    ("x[y:w]", "U+005B"),
    ("[x]", "U+005B"),
    ("(x, y)", "'(x, y)'"),
    ("x, y", "'x, y'"),
    ("()", "'()'"),
    ("(*x, y)", "'(*x, y)'"),
    ("*x", ""),
    ("f'{x}'", "U+0027"),
    ("'x'", "U+0027"),
    ('"x"', "U+0022"),
    ("b'x'", "U+0027"),
    ('"""x"""', "U+0022"),
    ("1j", "'1j'"),
    ("x + 2.5J", "'2.5J'"),
    ("True", "'True'"),
    ("x*False", "'False'"),
    ("None", "'None'"),
    ("...", "'...'"),
    ("x + Ellipsis", "'Ellipsis'"),
    ("sin(*x)", "'*x'"),
    ("max(*x, y)", "'*x'"),
    ("max(**x)", "2 arguments of max"),
    ("max(x, **y)", "2 arguments of max"),
    ("max(x, y, **w)", "2 arguments of max"),
    ("sin(x=1)", "1 argument of sin"),
    ("sin(x, out=y)", "1 argument of sin"),
    ("sin(x, where=y)", "1 argument of sin"),
    ("sin()", "1 argument of sin"),
    ("sin(x, y)", "1 argument of sin"),
    ("max(x)", "2 arguments of max"),
    ("max(x, y, w)", "2 arguments of max"),
    ("where(x < y)", "3 arguments of where"),
    ("where(x < y, x)", "3 arguments of where"),
    ("where(x < y, x, y, w)", "3 arguments of where"),
    ("where(x, x, y)", "one comparison first in where"),
    ("where(1, x, y)", "one comparison first in where"),
    ("where(True, x, y)", "one comparison first in where"),
    ("where(x == y, x, y)", "one comparison first in where"),
    ("where(x is y, x, y)", "one comparison first in where"),
    ("where(x in y, x, y)", "one comparison first in where"),
    ("where(0 < x < 1, x, y)", "'0 < x < 1'"),
    ("where(x < y and y < w, x, y)", "one comparison first in where"),
    ("where(not x < y, x, y)", "one comparison first in where"),
    ("where((x < y)*(y < w), x, y)", "one comparison first in where"),
    ("where(x < y, x < w, y)", "'x < w'"),
    ("where(x != y, x, y)", "U+0021"),
    ("x < y", "'x < y'"),
    ("x == y", "'x == y'"),
    ("(x < y)*x", "'x < y'"),
    ("sin(x > 0)", "'x > 0'"),
    ("0 < x < 1", "'0 < x < 1'"),
    ("x and y", "'x and y'"),
    ("x or y", "'x or y'"),
    ("not x", "'not x'"),
    ("x if y else w", "'x if y else w'"),
    ("1if x else 2", "'1if x else 2'"),
    ("x in y", "'x in y'"),
    ("x is not y", "'x is not y'"),
    ("x is 1", "'x is 1'"),
    ("x @ y", "U+0040"),
    ("x // y", "'x // y'"),
    ("x % y", "U+0025"),
    ("~x", "U+007E"),
    ("x << y", "'x << y'"),
    ("x >> 2", "'x >> 2'"),
    ("x & y", "U+0026"),
    ("x | y", "U+007C"),
    ("x ^ 2", "** for powers"),
    ("x!", "U+0021"),
    ("x?", "U+003F"),
    ("$x", "U+0024"),
    ("`x`", "U+0060"),
    ("await x", ""),
    ("yield", ""),
    ("(yield x)", "'yield x'"),
    ("(yield from x)", "'yield from x'"),
    ("x; y", "U+003B"),
    ("x = 1", ""),
    ("x += 1", ""),
    ("import os", ""),
    ("from os import system", ""),
    ("del x", ""),
    ("return x", ""),
    ("pass", ""),
    ("raise x", ""),
    ("assert x", ""),
    ("global x", ""),
    ("def f(x)", ""),
    ("class A", ""),
    ("x # y", "U+0023"),
    ("#", "U+0023"),
    ("x\n", "U+000A"),
    ("x\ny", "U+000A"),
    ("x +\\\ny", "U+005C"),
    ("\nx", "U+000A"),
    ("x\r", "U+000D"),
    ("x\ty", "U+0009"),
    ("x\x0by", "U+000B"),
    ("x\x0cy", "U+000C"),
    ("x\x1b[31m", "U+001B"),
    ("", "nothing"),
    (" ", "nothing"),
    (" " * 1000, "nothing"),
    ("x\x00", "U+0000"),
    ("\x00", "U+0000"),
    ("x +", "at character"),
    ("* x", "at character"),
    ("x y", "at character"),
    ("2 x", "at character"),
    ("2x", "at character"),
    ("x + * y", "at character"),
    ("(x", "at character"),
    ("x)", "at character"),
    ("sin(x", "at character"),
    ("sin x", "at character"),
    ("sin(x,, y)", "at character"),
    ("1.2.3", "at character"),
    ("1e", "at character"),
    ("0x", "at character"),
    ("012", "at character"),
    ("1__0", "at character"),
    (".", "at character"),
    (",", "at character"),
    ("=", "at character"),
    ("<>", "at character"),
    ("x <> y", "at character"),
    ("->", "at character"),
]
LOOK_ALIKES = [
    ("х + 1", "U+0445"),
    ("ｘ + 1", "U+FF58"),
    ("ѕin(x)", "U+0455"),
    ("sın(x)", "U+0131"),
    ("𝑥", "U+1D465"),
    ("x²", "U+00B2"),
    ("x − y", "U+2212"),
    ("x – y", "U+2013"),
    ("x × y", "U+00D7"),
    ("x·y", "U+00B7"),
    ("x ÷ y", "U+00F7"),
    ("π", "U+03C0"),
    ("ª", "U+00AA"),
    ("１ + x", "U+FF11"),
    ("x\u00a0+ y", "U+00A0"),
    ("x\u200by", "U+200B"),
    ("\ufeffx", "U+FEFF"),
    ("x\u202ey", "U+202E"),
    ("x\u2028y", "U+2028"),
    ("x\u2029", "U+2029"),
    ("x\x85", "U+0085"),
    ("\ud800", "U+D800"),
    ("x ≤ y", "U+2264"),
    ("“x”", "U+201C"),
    ("√x", "U+221A"),
    ("∞", "U+221E"),
]
NUMBERS = [
    ("9**9**9", "inf"),
    ("9**9**9**9**9", "inf"),
    ("10**10000", "inf"),
    ("x + 10**10000", "'10**10000'"),
    ("1e999", "'1e999', which is inf"),
    ("-1e999", "'1e999', which is inf"),
    ("1/0", "'1/0', which is inf"),
    ("0/0", "nan"),
    ("x*(1 - 1)/(1 - 1) + 0/0", "'0/0'"),
    ("0**-1", "inf"),
    ("9" * 400, "which is inf"),
    ("1" + "0" * 309, "which is inf"),
    ("x*" + "9" * 998, "which is inf"),
    ("0x" + "f" * 900, "which is inf"),
    ("exp(exp(exp(9)))", "inf"),
    ("2**1024", "inf"),
    ("log(-1)", "nan"),
    ("inf", "'inf'"),
    ("nan", "'nan'"),
    ("infinity", "'infinity'"),
]
HUGE = [
    ("(" * 1000, ""),
    ("(" * 499 + "x" + ")" * 499, ""),
    ("(" * 150 + "x" + ")" * 150 + "z", ""),
    ("-" * 900 + "x", ""),
    ("+-" * 450 + "1", ""),
    ("-" * 1000, ""),
    ("sin(" * 200 + "x" + ")" * 200, ""),
    ("sin(" * 90 + "x" + ")" * 90, "at most 40 operations"),
    ("2**" * 300 + "2", ""),
    ("x**" * 333 + "x", ""),
    ("x+" * 499 + "x", "at most 300"),
    ("x<" * 499 + "x", "at most 300"),
    ("not " * 200 + "x", ""),
    ("x.a" + ".a" * 490, ""),
    ("x" + "()" * 490, ""),
    ("max(" + "x," * 400 + "x)", ""),
    ("x," * 500, ""),
    ("lambda " * 140, ""),
    ("x if x else " * 83 + "x", ""),
    ("await " * 166 + "x", ""),
    ("x" * 999, "x"),
    ("tan" * 333, "tan"),
    ("x + " * 25000 + "x", "at most 1000 characters; found 100001"),
    ("(" * 100000, "at most 1000 characters; found 100000"),
    ("9" * 100000, "at most 1000 characters; found 100000"),
    ("\n" * 100000, "at most 1000 characters; found 100000"),
    ("x" + " " * 1000, "at most 1000 characters; found 1001"),
    ("é" * 100000, "at most 1000 characters; found 100000"),
]
# misspelt texts, and the name suggested
MISSPELT = [
    ("sinn(x)", "sin"),
    ("tahn(x)", "tan"),
    ("Exp(x)", "exp"),
    ("sqr(x)", "sqrt"),
    ("relu6(x)", "relu"),
    ("sigmod(x)", "sigmoid"),
    ("softplu(x)", "softplus"),
    ("arctn2(x, y)", "arctan2"),
    ("tanhh(x)", "tanh"),
    ("were(x < y, x, y)", "where"),
    ("maxx(x, y)", "max"),
    ("theta1 + 1", "theta_1"),
    ("2*Theta_1", "theta_1"),
    ("pie*theta_1", "pi"),
]
HOSTILE = [*ESCAPES, *SYNTAX, *LOOK_ALIKES, *NUMBERS, *HUGE]
NOT_TEXT = [None, 1, 1.5, True, ..., 1j, b"x", ["x"], ("x",), {"x": 1}, {"x"}, ast.parse("x"), len]


def short(text):
    return ascii(text)[:24]


@contextmanager
def recorder():
    """A list of what is run, imported, compiled to code or opened in the meantime."""
    seen = []
    real_open, real_import, real_compile = builtins.open, builtins.__import__, builtins.compile

    def imported(name, *rest, **options):
        if name not in sys.modules:
            seen.append(f"import {name}")
        return real_import(name, *rest, **options)

    def compiled(source, filename, mode, flags=0, *rest, **options):
        if not flags & ast.PyCF_ONLY_AST:
            seen.append("compile")
        return real_compile(source, filename, mode, flags, *rest, **options)

    def opened(*rest, **options):
        seen.append("open")
        return real_open(*rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("eval", "exec", "breakpoint", "input", "print"):
            patch.setattr(builtins, name, lambda *_, name=name: seen.append(name))
        for name, one in (("open", opened), ("__import__", imported), ("compile", compiled)):
            patch.setattr(builtins, name, one)
        yield seen


@pytest.fixture
def nothing_done(tmp_path, monkeypatch):
    """In an empty folder: no module is imported and no file written."""
    monkeypatch.chdir(tmp_path)
    modules = set(sys.modules)
    yield
    assert set(sys.modules) == modules
    assert list(tmp_path.iterdir()) == []


def sentence(make, *given):
    """The one sentence of a refusal, at once and with nothing run."""
    with recorder() as seen:
        start = time.perf_counter()
        try:
            made = make(*given)
        except Exception as error:
            made = error
        taken = time.perf_counter() - start
    assert seen == []
    assert type(made) is InputError
    assert taken < 10.0
    text = str(made)
    assert text.startswith("formula = ")
    assert text.count(": expected ") == 1
    assert text.isprintable()
    assert len(text) < 1500
    return text


@pytest.mark.parametrize(("text", "mention"), HOSTILE, ids=short)
def test_hostile_texts_are_refused_in_one_sentence(text, mention, nothing_done):
    found = sentence(Formula, text, VARIABLES)
    assert mention in found
    assert sentence(parsed, text, VARIABLES) == found


@pytest.mark.parametrize(("text", "name"), MISSPELT)
def test_a_name_near_by_is_suggested(text, name, nothing_done):
    found = sentence(Formula, text, (*VARIABLES, "theta_1"))
    assert found.endswith(f"; did you mean {name!r}?")


@pytest.mark.parametrize("text", ["zzzz(x)", "zzzz + 1", "__class__", "subprocess"])
def test_nothing_is_suggested_where_no_name_is_near(text, nothing_done):
    assert "did you mean" not in sentence(Formula, text, VARIABLES)


@pytest.mark.parametrize("given", NOT_TEXT, ids=lambda given: type(given).__name__)
def test_what_is_no_text_is_refused(given, nothing_done):
    assert sentence(Formula, given, VARIABLES).endswith(": expected text")


def test_the_recorder_records(tmp_path):
    """What the other tests rely on."""
    with recorder() as seen:
        builtins.eval("1")
        builtins.exec("1")
        builtins.compile("1", "here", "eval")
        ast.parse("1")
        builtins.open(tmp_path / "sentinel", "w").close()
        with pytest.raises(ModuleNotFoundError):
            __import__("no_such_module_at_all")
    assert seen == ["eval", "exec", "compile", "open", "import no_such_module_at_all"]


def test_as_many_as_promised():
    assert len(HOSTILE) == len({text for text, _ in HOSTILE}) >= 40
