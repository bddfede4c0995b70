"""P-code does what SourcePawn says."""

import pytest

from smhost.machine import cut


def test_arithmetic_is_that_of_32_bits(result):
    assert result("""
        public int Test(int high)
        {
            int seven = 7 * (high > 0 ? -1 : 1), two = 2, bit = 31;
            int t = high + 1 < 0 ? 1 : 0;
            t += seven / two == -3 ? 2 : 0;
            t += seven % 3 == -1 ? 4 : 0;
            t += (seven >>> 28) == 15 && (seven >> 1) == -4 && (two << bit) == 0 ? 8 : 0;
            t += high * two == -2 && (high ^ -1) == -high - 1 ? 16 : 0;
            t += !high == false && ~high < 0 ? 32 : 0;
            return t;
        }""", 0x7FFFFFFF) == 63


def test_arrays_have_one_or_more_dimensions_and_enum_structs_methods(result):
    assert result("""
        enum struct Pair
        {
            int a;
            char text[16];
            int b[3];
            int Sum()
            {
                return this.a + this.b[0] + this.b[2] + strlen(this.text);
            }
        }
        int g_Grid[4][5];
        char g_Names[3][] = {"one", "two!", "three"};
        public int Test(int n)
        {
            int t = 0;
            for (int i = 0; i < 4; i++)
            {
                for (int j = 0; j < 5; j++)
                {
                    g_Grid[i][j] = i * j;
                    t += g_Grid[i][j];
                }
            }
            int[][][] deep = new int[n][2][3];
            deep[n - 1][1][2] = 1000;
            t += deep[n - 1][1][2] + deep[0][0][0];
            Pair pair;
            pair.a = 1;
            pair.b[2] = 2;
            strcopy(pair.text, sizeof(pair.text), g_Names[1]);
            t += pair.Sum();
            int loc[2][2] = {{1, 2}, {3, 4}};
            return t + loc[1][0] * 10000;
        }""", 5) == 60 + 1000 + 7 + 30000


def test_loops_switches_and_recursion_go_where_they_should(result):
    assert result("""
        int Fib(int n)
        {
            return n < 2 ? n : Fib(n - 1) + Fib(n - 2);
        }
        public int Test(int n)
        {
            int t = 0;
            do
            {
                switch (n)
                {
                    case 0: t += 1;
                    case 1, 2: t += 10;
                    default:
                    {
                        if (n == 7)
                        {
                            continue;
                        }
                        t += 100;
                    }
                }
            }
            while (n-- > 0);
            return t * 1000 + Fib(10);
        }""", 8) == (1 + 20 + 100 * 5) * 1000 + 55


def test_floats_are_floats(result):
    assert result("""
        public int Test(float x)
        {
            float y = x * 2.0 + 1.0;
            return RoundToNearest(y) * 100 + (y > 3.9 ? 10 : 0) + RoundToFloor(-0.5) + (y / 0.0 > 1.0 ? 5 : 0);
        }""", 0x3FC00000) == 400 + 10 - 1 + 5


def test_two_calls_with_references_by_default_keep_their_arguments(result):
    """What pysmx's own machine gets wrong."""
    assert result("""
        int g_Sum;
        void Add(int value, int &sum = 0, const char[] text = "abc")
        {
            sum += value;
            g_Sum += sum + strlen(text);
        }
        public int Test(int n)
        {
            Add(n);
            Add(n, _, "x");
            Add(n);
            return g_Sum;
        }""", 5) == 5 * 3 + 3 + 1 + 3


@pytest.mark.parametrize("body, words", [
    ("int a[3]; int i = 7; return a[i];", "Array index out-of-bounds (index 7, limit 3)"),
    ("int zero = 0; return 7 / zero;", "Divide by zero"),
    ("char big[4000]; big[0] = 'x'; return Test(big[0]);", "Not enough space on the stack"),
    ("ArrayList none = null; return none.Length;", "Invalid ArrayList Handle 0 (error 4)"),
    ("ThrowError(\"it %s\", \"broke\"); return 0;", "it broke"),
])
def test_an_error_ends_the_callback_and_is_told_with_its_line(host, run, body, words):
    loaded, = run("public int Test(int n)\n{\n" + body + "\n}\npublic int Again() { return 5; }")
    value, good = host.call(loaded, loaded.publics["Test"], 1)
    assert (value, good) == (0, False)
    assert words in host.errors[-1] and "::Test" in host.errors[-1] and "Line 8" in host.errors[-1]
    assert host.call(loaded, loaded.publics["Again"]) == (5, True)


def test_a_loop_without_end_is_ended(host, run):
    loaded, = run("public int Test()\n{\nint i = 0; while (i >= 0) { i = (i + 1) & 15; } return i;\n}")
    loaded.machine.LIMIT = 100_000
    assert host.call(loaded, loaded.publics["Test"]) == (0, False)
    assert "timed out" in host.errors[-1]


def test_instructions_are_counted_piece_by_piece(host, run):
    loaded, = run("public int Test(int n)\n{\nint t; for (int i = 0; i < n; i++) { t += i; } return t;\n}")
    costs = []
    for n in (10, 1010):
        start = loaded.machine.n
        host.call(loaded, loaded.publics["Test"], n)
        costs.append(loaded.machine.n - start)
    assert 5 * 1000 <= costs[1] - costs[0] <= 20 * 1000, costs


def test_text_is_cut_between_characters():
    assert cut("aé€😀".encode(), 10) == "aé€😀".encode()
    assert cut("aé€😀".encode(), 9) == "aé€".encode()
    assert cut("aé€😀".encode(), 5) == "aé".encode()
    assert cut("aé".encode(), 2) == b"a"
