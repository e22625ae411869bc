"""The provider of the chaos tests is itself what they rely on: it forgets no charge, and its faults can be repeated."""

import sys
from collections import Counter

import httpx2

from tests.support.paid_provider import PaidProvider, journal_of
from tests.support.processes import Process, environment, free_port


def provider_process(folder, port):
    arguments = ["-m", "tests.support.paid_provider", "--port", str(port), "--journal", str(folder / "journal")]
    return Process([sys.executable, *arguments], port, environment(folder), folder / "provider.log")


def ask(url, key):
    body = {"model": "m", "messages": [{"role": "user", "content": f"prompt {key}"}]}
    return httpx2.post(url + "/keyed/chat/completions", json=body, headers={"Idempotency-Key": key}).json()


def test_a_charge_is_in_the_journal_before_the_answer_and_survives_a_kill(tmp_path):
    port = free_port()
    with provider_process(tmp_path, port) as provider:
        first = ask(provider.url, "one")
        assert [line["key"] for line in journal_of(tmp_path / "journal")] == ["one"]
        provider.kill()
    with provider_process(tmp_path, port) as provider:
        assert ask(provider.url, "one") == first
        assert ask(provider.url, "two") != first
    assert [line["key"] for line in journal_of(tmp_path / "journal")] == ["one", "two"]


def test_faults_by_chance_are_the_same_for_the_same_seed(tmp_path):
    def faults(seed):
        provider = PaidProvider(str(tmp_path / "journal"), seed, 0.5)
        return [provider.fault("handle", f"prompt {number // 2}") for number in range(400)]

    assert faults("1") == faults("1") != faults("2")
    met = Counter(name for name, _ in faults("1"))
    assert 140 < met[""] < 260
    assert len(met) == 14
