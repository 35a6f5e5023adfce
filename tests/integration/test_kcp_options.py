# SPDX-License-Identifier: BSD-2-Clause
"""Options of a kcp stage that do not go together are refused, with the place in the manifest."""
import json

from harness import Test, main, sh
from kcp import RELIABLE, plain
from program import BINARY, environment


class Options(Test):
    def verdict(self, changes, **whole):
        """(status, what `vpncore check` says) of a's manifest with changes to its kcp stage."""
        spec = plain(0, changes.get("reliability", RELIABLE), changes)
        spec.update(whole)
        file = self.directory / "manifest.json"
        file.write_text(json.dumps(spec, indent=1), encoding="ascii")
        done = sh(BINARY, "check", file, check=False, env=environment())
        return done.returncode, done.stdout + done.stderr

    def test_refuses_what_does_not_go_together_and_says_where(self):
        own = {"reliability": "deadline"}
        for changes, pointer in (
                ({"reliability": "some"}, "reliability"),
                ({"mode": "fast4"}, "mode"),
                ({"crypt": "rot13"}, "crypt"),
                ({"snd_wnd": 0}, "snd_wnd"),
                ({"rcv_wnd": 65536}, "rcv_wnd"),
                ({"resend": -2}, "resend"),
                ({"mtu": 100}, "mtu"),
                ({"conv": 1 << 32}, "conv"),
                ({"interval": "10s"}, "interval"),
                ({**own, "conv": 7}, "conv"),
                ({**own, "stream": True}, "stream"),
                ({**own, "nodelay": 1}, "nodelay"),
                ({**own, "resend": 2}, "resend"),
                ({"deadline": "100ms"}, "deadline"),
                ({"reliability": "datagram", "deadline": "100ms"}, "deadline"),
                ({"nc": 1, "congestion": "rate"}, "nc"),
                ({"nc": 0, "congestion": "none"}, "nc"),
                ({"fec": {"data": 10}}, "fec"),
                ({"fec": {"parity": 3}}, "fec"),
                ({"fec": {"min": 5, "max": 20}}, "fec"),
                ({"fec": {"data": 200, "parity": 100}}, "fec/parity"),
                ({**own, "fec": {"data": 10, "parity": 3}}, "fec"),
                ({**own, "fec": {"min": 30, "max": 20}}, "fec/min"),
                ({"crypt": "aes-128-gcm"}, "crypt"),
                ({"crypt": "null", "password": "secret"}, "crypt"),
                ({"crypt": "none", "password": "secret"}, "crypt"),
                ({"crypt": "aes", "password": "secret", "key": "00" * 32}, "key"),
                ({"crypt": "aes", "key": "00" * 16}, "key")):
            with self.subTest(changes=str(changes)):
                status, text = self.verdict(changes)
                self.assertEqual(status, 2, text)
                self.assertRegex(text, r"manifest\.json:\d+:\d+: /pipeline/1/%s: " % pointer)

    def test_a_stage_that_needs_security_says_so(self):
        """Without a cipher and without wireguard above nothing is secret."""
        status, text = self.verdict({}, allow_insecure=False)
        self.assertEqual(status, 2)
        self.assertIn("allow_insecure", text)

    def test_takes_what_goes_together(self):
        for changes in ({}, {"reliability": "datagram"}, {"reliability": "deadline"},
                        {"reliability": "deadline", "deadline": "80ms", "fec": {"min": 0, "max": 50}},
                        {"mode": "normal", "nodelay": 2, "interval": "20ms", "resend": 0, "nc": 1},
                        {"nc": 0, "congestion": "reno"}, {"congestion": "none"},
                        {"fec": {"data": 10, "parity": 3}, "stream": True, "conv": 7},
                        {"crypt": "none"}, {"crypt": "aes-128-gcm", "key": "00" * 16},
                        {"crypt": "salsa20", "key": "00" * 32}, {"mtu": 1400}, {"rate": 1000000},
                        {"queue": "0s", "dead_after": "0s", "idle": "0s"}):
            with self.subTest(changes=str(changes)):
                status, text = self.verdict(changes)
                self.assertEqual(status, 0, text)


if __name__ == "__main__":
    main()
