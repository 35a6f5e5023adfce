# SPDX-License-Identifier: BSD-2-Clause
"""A kcp stage and kcp-go, Debian's and the current one, in every combination of role, layers, framing
and loss: each packet arrives once, in order, both ways. Topology: kcp_go.py.
"""
import concurrent.futures
import itertools

from harness import Test, main, total
from kcp_go import CURRENT, DEBIAN, Case, Tunnel, exchange

AT_A_TIME = 6  # tunnels; the load is light, what takes time is waiting
PACKETS = 200  # each way
LOSS = 0.1
MODES = ("normal", "fast", "fast2", "fast3")

# crypt, FEC
LAYERS = [("null", ()), ("null", (10, 3)), ("none", ()), ("salsa20", ()), ("aes", ()),
          ("aes", (10, 3))]
CURRENT_LAYERS = LAYERS + [("aes-128-gcm", ()), ("aes-128-gcm", (10, 3))]


def cases(go, role):
    """All of a kcp-go in one role. What need not be in every combination goes round."""
    modes = itertools.cycle(MODES)
    layers = CURRENT_LAYERS if go == CURRENT else LAYERS
    for number, (layer, loss, stream) in enumerate(itertools.product(layers, (0.0, LOSS),
                                                                     (False, True))):
        crypt, fec = layer
        yield Case(go, role, crypt, fec, next(modes) if number % 5 else "fast3", stream,
                   ack_no_delay=number % 3 == 0, loss=loss, conv=0x01020304 if number % 2 else 0)


class Matrix(Test):
    def check_counters(self, tunnel):
        """Nothing was rubbish to the other side; what FEC is for has happened."""
        case = tunnel.case
        ours = tunnel.ours.counters()
        theirs = tunnel.stop()
        for name in ("InErrs", "InCsumErrors", "KCPInErrors", "FECErrs"):
            self.assertEqual(theirs[name], 0, "kcp-go counted %s" % name)
        for name in ("drop_crypt", "drop_short", "drop_command", "drop_length", "drop_conv"):
            self.assertEqual(total(ours, "kcp", name), 0, name)
        if case.fec:
            self.assertGreater(total(ours, "kcp", "parity_sent"), 0)
        if case.fec and case.loss:
            self.assertGreater(theirs["FECRecovered"], 0, "kcp-go made nothing of our parity")
            self.assertGreater(total(ours, "kcp", "fec_recovered"), 0)

    def run_case(self, case, seed):
        tunnel = Tunnel(case, self.directory, seed)
        try:
            tunnel.start()
            exchange(tunnel.spaces, case.mtu, PACKETS, seed=seed)
            self.check_counters(tunnel)
        except BaseException as e:
            raise AssertionError("%s: %s\n%s" % (case, e, tunnel.text())) from e
        finally:
            tunnel.close()

    def run_all(self, go, role):
        todo = list(cases(go, role))
        with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
            done = [(case, pool.submit(self.run_case, case, seed))
                    for seed, case in enumerate(todo, 1)]
            for case, future in done:
                with self.subTest(str(case)):
                    future.result()
        print("    %d tunnels" % len(todo))

    def test_our_client_and_the_current_kcp_go(self):
        self.run_all(CURRENT, "client")

    def test_our_server_and_the_current_kcp_go(self):
        self.run_all(CURRENT, "server")

    def test_our_client_and_the_kcp_go_of_debian(self):
        self.run_all(DEBIAN, "client")

    def test_our_server_and_the_kcp_go_of_debian(self):
        self.run_all(DEBIAN, "server")


if __name__ == "__main__":
    main()
