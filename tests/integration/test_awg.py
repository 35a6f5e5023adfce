# SPDX-License-Identifier: BSD-2-Clause
"""WireGuard in the disguise of AmneziaWG between two vpncore peers, for each set of parameters; what is on
the wire then; and what is said when both sides differ. The topology is in amnezia.py."""
import json
import select
import subprocess

from amnezia import FIRST, SECOND, SETS, SETS_3, THIRD, WORDS, AmneziaTunnel, stage
from harness import INNER4, INNER6, OUTER4, TOP, Test, environment, main, traffic
from program import BINARY
from wireguard import VPNCORE, Keys

OURS = (VPNCORE, VPNCORE)


class Parameters(AmneziaTunnel):
    """Everything passes, whatever the parameters; a case for each is added below."""


def carries(awg, family):
    def run(self):
        a, b = self.opened(OURS, awg, family=family)
        traffic.udp_echo(self.a, self.b, INNER6[1], (1, 100, 1300))
        for node in (a, b):
            self.assertEqual(self.count(node, "drop_awg_above"), 0)
            for reason in ("drop_bad_mac1", "drop_bad_tag", "drop_malformed"):
                self.assertEqual(self.count(node, reason, "wireguard"), 0, reason)
        self.assertEqual(self.count(a, "sessions", "wireguard"), 1)
    return run


def add_cases():
    for number, (name, awg) in enumerate({**SETS, **SETS_3}.items()):
        family = 4 if number % 2 == 0 else 6
        setattr(Parameters, "test_%s_over_ipv%d" % (name.replace(" ", "_"), family),
                carries(awg, family))


add_cases()


class Lanes(AmneziaTunnel):
    def test_two_lanes_share_a_session(self):
        self.opened(OURS, THIRD, own={"lanes": 2})
        traffic.tcp(self.a, self.b, INNER4[1], 1 << 20, streams=8)
        traffic.tcp(self.b, self.a, INNER4[0], 1 << 20, streams=8)


class Wire(AmneziaTunnel):
    """A socket beside the peer sees what a stranger sees: one peer talks to it alone."""

    def datagrams(self, awg, n):
        """The first n that an initiator sends to somebody who never answers."""
        a = self.end(0, VPNCORE, awg)
        b = self.end(1, VPNCORE, awg)
        a.add(b, endpoint=OUTER4[1])
        with self.b.socket() as s:
            s.bind((OUTER4[1], a.port))
            a.start()
            self.a.sh("ping", "-c", 1, "-W", 1, INNER4[1], check=False)
            found = []
            while len(found) < n:
                ready, _, _ = select.select([s], [], [], 20)
                self.assertTrue(ready, "only %d datagrams" % len(found))
                found.append(s.recv(2048))
            return found

    def test_what_goes_out_before_an_initiation(self):
        first, *junk, initiation = self.datagrams({**FIRST, "i1": "<b 0x0badcafe><rd 3>"}, 7)
        self.assertEqual(first[:4].hex(), "0badcafe")
        self.assertTrue(first[4:].isdigit() and len(first) == 7)
        self.assertTrue(all(FIRST["jmin"] <= len(j) <= FIRST["jmax"] for j in junk), junk)
        self.assertEqual(len(initiation), FIRST["s1"] + 148)
        self.assertEqual(int.from_bytes(initiation[FIRST["s1"]:][:4], "little"), int(FIRST["h1"]))

    def test_an_initiation_is_not_known_by_length_or_word(self):
        for awg in (FIRST, THIRD):
            lead = awg["jc"] + sum(k in awg for k in ("i1", "i2", "i3", "i4", "i5"))
            initiation = self.datagrams(awg, lead + 1)[-1]
            self.assertEqual(len(initiation), awg["s1"] + 148)
            self.assertNotIn(b"\1\0\0\0", initiation)
            self.doCleanups()
            self.setUp()

    def test_a_stranger_gets_no_answer(self):
        a, b = self.pair(OURS, SECOND)
        self.carries(a, INNER4[1], 1 << 16)
        with self.b.socket() as s:
            s.bind((OUTER4[1], 0))
            for n in range(1, 1400, 3):
                s.sendto(bytes((n * k) % 251 for k in range(n)), (OUTER4[0], a.port))
            # what follows has been served after all of those
            self.check_ping(3)
            self.assertEqual(select.select([s], [], [], 0)[0], [])
        self.assertGreater(self.count(a, "drop_awg_unknown"), 400)


class Mismatch(AmneziaTunnel):
    """Both sides differ: no session, no crash, and a line in the log that says what was seen."""

    def hears(self, other_awg, awg, expected, kind=VPNCORE):
        a, b = self.pair(OURS, awg, other_awg=other_awg)
        self.a.sh("ping", "-c", 1, "-W", 1, INNER4[1], check=False)
        b.program.wait_log(expected, timeout=20)
        self.assertEqual(self.count(b, "sessions", "wireguard"), 0)
        self.assertNotIn(THIRD["header_protection_key"], b.program.log() + a.program.log())

    def test_another_word(self):
        self.hears({**WORDS, "h1": "5"}, WORDS,
                   r"from .*: 148 bytes, as long as an initiation, but its word %s is not in h1"
                   % WORDS["h1"])

    def test_another_key(self):
        self.hears({**THIRD, "header_protection_key": "aa" * 32}, THIRD,
                   r"did not fit mode .awg., and none did; .*header_protection_key")

    def test_no_disguise_on_the_other_side(self):
        self.hears(WORDS, {"jc": 0}, r"from .*: an initiation of plain WireGuard")


class Refusals(Test):
    """What `vpncore check` says of parameters that cannot be."""

    def check(self, obfs):
        file = self.directory / "bad.json"
        file.write_text(json.dumps({"vpncore": 1, "pipeline": [
            {"device": "auto"}, {"transport": "wireguard", "private_key": Keys().private},
            {"transport": "obfs", "mode": "awg", **obfs},
            {"transport": "udp", "listen": "*:0"}]}))
        done = subprocess.run([str(BINARY), "check", str(file)], capture_output=True, text=True,
                              env=environment(), check=False)
        return done.returncode, done.stdout + done.stderr

    def refused(self, awg, pointer, words):
        status, text = self.check({"awg": awg})
        self.assertEqual(status, 2, text)
        self.assertIn("/pipeline/2/awg/%s: " % pointer, text)
        self.assertIn(words, text)

    def test_parameters_that_cannot_be(self):
        self.refused({"h1": "5-10", "h2": "10"}, "h2", "overlaps h1")
        self.refused({"s1": 10, "s2": 66}, "s2", "as long as initiations")
        self.refused({"jc": 1, "jmin": 9, "jmax": 8}, "jmax", "less than jmin")
        self.refused({"jc": 129}, "jc", "128")
        self.refused({"s4": 1281}, "s4", "1280")
        self.refused({"i3": "<b 0x1>"}, "i3", "two hexadecimal digits")
        self.refused({"header_protection_key": "aa" * 32, "s1": 12, "s2": 12, "s3": 12}, "s4",
                     "12 or more")
        self.refused({"header_protection_key": "aa" * 31}, "header_protection_key", "32")
        self.refused({"jd": 1}, "jd", "jc")

    def test_good_parameters_are_taken(self):
        for awg in (*SETS.values(), *SETS_3.values()):
            status, text = self.check(stage(awg))
            self.assertEqual(status, 0, text)


class Import(Test):
    def test_what_is_imported_is_taken(self):
        for name in ("good-amnezia", "good-amnezia-3"):
            file = TOP / "tests" / "unit" / "cli" / "wgquick" / (name + ".conf")
            out = self.directory / (name + ".json")
            for argv in (["import", "-o", out, file], ["check", out]):
                done = subprocess.run([BINARY, *argv], capture_output=True, text=True,
                                      env=environment(), check=False)
                self.assertEqual(done.returncode, 0, done.stderr)


class Above(AmneziaTunnel):
    def test_it_does_not_run_above_anything_but_wireguard(self):
        spec = {"vpncore": 1, "name": "a", "allow_insecure": True, "pipeline": [
            {"device": "auto", "name": "wg0"}, {"transport": "obfs", **stage(WORDS)},
            {"transport": "udp", "listen": "*:0", "remote": OUTER4[1] + ":9"}]}
        program = self.vpncore(self.a, spec)
        program.wait_end(1)
        self.assertIn('the stage directly above has to be "wireguard"', program.log())


if __name__ == "__main__":
    main()
