import pytest

from genesis.errors import Misconfigured
from genesis.settings import Settings


def test_the_environment_is_read_under_the_documented_names(monkeypatch):
    for name, value in {
        "DB_PATH": "/tmp/x.db",
        "LLM_WORKER_URL": "http://llm:1",
        "OPENROUTER_API_KEY": "sk-secret",
        "GENESIS_PORT": "81",
        "CORS_ORIGINS": "https://a.example/, https://B.example",
    }.items():
        monkeypatch.setenv(name, value)
    settings = Settings.load()
    assert str(settings.db_path) == "/tmp/x.db"
    assert settings.llm_worker_url == "http://llm:1"
    assert settings.port == 81
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert "sk-secret" not in repr(settings)


def test_blank_values_count_as_unset(monkeypatch):
    monkeypatch.setenv("OPENROUTER_API_KEY", "  ")
    monkeypatch.setenv("DB_PATH", "")
    assert Settings.load().openrouter_api_key is None
    assert str(Settings.load().db_path) == "data/jobs.db"


@pytest.mark.parametrize("placeholder", ["YOUR_OPENROUTER_KEY", " YOUR_HF_KEY\n"])
def test_a_placeholder_is_no_key(monkeypatch, placeholder):
    monkeypatch.setenv("OPENROUTER_API_KEY", placeholder)
    monkeypatch.setenv("HUGGINGFACE_API_KEY", placeholder)
    settings = Settings.load()
    assert (settings.openrouter_api_key, settings.huggingface_api_key) == (None, None)


def test_host_names_are_read_as_a_list(monkeypatch):
    monkeypatch.setenv("GENESIS_TRUSTED_HOSTS", "gateway, *.Example.org,*,10.0.0.7,")
    assert Settings.load().trusted_hosts == ("gateway", "*.example.org", "*", "10.0.0.7")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_ATTEMPTS", "0"),
        ("GENESIS_PORT", "abc"),
        ("LOG_LEVEL", "LOUD"),
        ("LLM_WORKER_URL", "http://a..b:80"),
        ("STT_WORKER_URL", "nonsense"),
        ("GENESIS_TRUSTED_HOSTS", "https://genesis.example.org"),
        ("GENESIS_TRUSTED_HOSTS", "genesis.example.org:8000"),
        ("GENESIS_TRUSTED_HOSTS", "genesis.*"),
    ],
)
def test_a_wrong_value_names_its_variable(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured, match=name):
        Settings.load()
