"""Settings of every process: one typed object, read once from the environment at the edge and passed down."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from genesis.errors import Misconfigured

_HOST_NAME = re.compile(r"(\*\.)?[^\s*/:@\[\]]+")
_CORRECT = "Correct or unset this environment variable."
_PLACEHOLDER = "YOUR_"
"""What the README and k8s/secrets.yaml say in place of a key begins so; no provider's keys do."""

ProviderName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
CommaSeparated = Annotated[tuple[str, ...], NoDecode]


class OpenAICompatibleServer(BaseModel):
    """A server that speaks OpenAI's API.

    Attributes:
        url: with its version, for example http://localhost:11434/v1.
        models: known model names by capability, the default first; capabilities without any are not served.
        free: whether nothing is charged, so that a call in doubt may simply be made again.
        slots: calls it may have under way at once; None for as many as the worker has.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    api_key: SecretStr | None = None
    models: dict[str, tuple[str, ...]]
    free: bool = False
    slots: int | None = Field(None, ge=1, le=1024)


class Settings(BaseSettings):
    """The environment variables that Genesis reads; names are upper-case there."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True, populate_by_name=True)

    host: str = Field("127.0.0.1", validation_alias="GENESIS_HOST")
    """Address that `genesis-server up` binds to."""
    port: int = Field(8000, ge=0, le=65535, validation_alias="GENESIS_PORT")

    db_path: Path = Path("./data/jobs.db")
    """SQLite database file; `DATABASE_URL` wins over it."""
    database_url: str | None = None
    storage_path: Path = Path("./data/storage")
    """Folder of generated files; `STORAGE_URL` wins over it. Gateway and workers share it."""
    storage_url: str | None = None
    """`file:///folder` or `s3://bucket/prefix`."""
    aws_endpoint_url: str | None = None
    """Where an S3 store is that is not Amazon's."""
    aws_region: str = "us-east-1"
    aws_access_key_id: SecretStr | None = None
    """Without it, the S3 store is asked with what the machine or pod is given (roles, web identity)."""
    aws_secret_access_key: SecretStr | None = None
    aws_session_token: SecretStr | None = None
    storage_public_url: str | None = None
    """URL under which clients reach the S3 store, where that is not AWS_ENDPOINT_URL; presigned links name it."""
    storage_redirect: bool = False
    """Whether files in an S3 store are served by a redirect to the store instead of through the gateway."""
    storage_accel_prefix: str | None = None
    """Location of an nginx in front (`/protected/`) that serves STORAGE_PATH, for `X-Accel-Redirect`."""
    max_upload_bytes: int = Field(2 * 1024**3, ge=1024)
    """Largest file that people may upload."""
    upload_idle_seconds: float = Field(60.0, gt=0, le=3600)
    """An upload of which nothing arrives for this long is given up."""
    file_retention_days: float | None = Field(None, gt=0)
    """Files are deleted so long after they were made, unless they or their organization say otherwise."""
    orphan_hours: float = Field(24.0, ge=1)
    """Contents of the store that nothing refers to are deleted after this time."""
    signing_key: SecretStr | None = Field(None, min_length=32, validation_alias="GENESIS_SIGNING_KEY")
    """Signs links to files; without it, a random one in the database does, which all gateways share."""

    llm_worker_url: str = "http://127.0.0.1:8001"
    image_worker_url: str = "http://127.0.0.1:8002"
    stt_worker_url: str = "http://127.0.0.1:8003"
    tts_worker_url: str = "http://127.0.0.1:8004"
    cyclegan_worker_url: str = "http://127.0.0.1:8005"

    openrouter_api_key: SecretStr | None = None
    openrouter_base_url: str = "https://openrouter.ai/api/v1"
    huggingface_api_key: SecretStr | None = None
    huggingface_base_url: str = "https://router.huggingface.co"
    huggingface_hub_url: str = "https://huggingface.co"
    """Where `genesis-server check` tries the key; nothing else is asked there."""
    openai_api_key: SecretStr | None = None
    openai_base_url: str = "https://api.openai.com/v1"
    openai_compatible_servers: dict[ProviderName, OpenAICompatibleServer] = {}
    """Servers that speak OpenAI's API (vLLM, Ollama, LocalAI, LiteLLM, Together, …) by the name of their provider; JSON."""
    replicate_api_token: SecretStr | None = None
    replicate_base_url: str = "https://api.replicate.com"
    fal_key: SecretStr | None = None
    fal_base_url: str = "https://queue.fal.run"
    elevenlabs_api_key: SecretStr | None = None
    elevenlabs_base_url: str = "https://api.elevenlabs.io"
    elevenlabs_voice: str = "JBFqnCBsd6RMkjVDRZzb"
    """Id of the voice that speaks at ElevenLabs when a job names none."""
    llm_model: str = "openai/gpt-3.5-turbo"
    """Model that OpenRouter serves text with when a job names none."""
    image_model_url: str | None = None
    """Full URL of a Hugging Face image model endpoint; replaces the default image model."""
    fake_provider: bool = Field(False, validation_alias="GENESIS_FAKE_PROVIDER")
    """Offers the provider `fake`, which answers at once with made-up results; for tests and trials."""
    fake_delay_ms: int = Field(0, ge=0, le=600_000, validation_alias="GENESIS_FAKE_DELAY_MS")
    fake_url: str | None = Field(None, validation_alias="GENESIS_FAKE_URL")
    """Offers providers that seem to charge: a test server's, one for each class of providers; for tests and trials."""
    local_provider: bool = Field(True, validation_alias="GENESIS_LOCAL_PROVIDER")
    """Offers the offline provider `local` where its packages are installed."""
    local_idle_seconds: float = Field(300.0, gt=0)
    """An offline model without work for this long is unloaded."""

    text_chain: str | None = None
    """Models that text steps are tried with which name none, such as `openai:gpt-5-mini*3 | openrouter, local`."""
    image_chain: str | None = None
    speech_chain: str | None = None
    transcription_chain: str | None = None
    image_transform_chain: str | None = None

    worker_slots: int = Field(16, ge=1, le=1024)
    """Calls that a worker has under way at once with hosted providers; a full worker refuses."""
    call_timeout_seconds: float = Field(300.0, gt=0, le=3600)
    """Longest that one provider call may take."""
    max_attempts: int = Field(3, ge=1, le=20)
    """Attempts per step and model before the next model of the chain is asked."""
    max_step_attempts: int = Field(8, ge=1, le=100)
    """Attempts per step, with all models of its chain together."""
    retry_base_seconds: float = Field(0.5, gt=0, le=60)
    retry_cap_seconds: float = Field(30.0, gt=0, le=3600)
    drain_seconds: float = Field(30.0, ge=0, le=3600)
    """How long a stopping process waits for calls under way that cannot simply be made again."""

    lease_seconds: float = Field(15.0, ge=1, le=300)
    """How long an executor on PostgreSQL owns its jobs without a sign of life."""
    executor: bool = Field(True, validation_alias="GENESIS_EXECUTOR")
    """Whether a gateway runs jobs, or only accepts them for executors that run elsewhere."""

    prices_path: Path | None = None
    """JSON file with the operator's own prices of models; they go before those that Genesis is shipped with."""

    max_request_bytes: int = Field(1_048_576, ge=1024)
    """Largest JSON request body."""
    max_fetch_bytes: int = Field(50 * 1024 * 1024, ge=1024)
    """Largest input file fetched from a URL and largest file accepted from a provider."""
    fetch_timeout_seconds: float = Field(30.0, gt=0, le=600)
    fetch_plain_http: bool = False
    """Whether input URLs may begin with http://; hosts of FETCH_ALLOWED_HOSTS may in any case."""
    fetch_allowed_hosts: CommaSeparated = ()
    """Hosts (`name` or `name:port`) that input URLs may name although their address is not public."""

    page_path: Path = Path(__file__).resolve().parents[1] / "frontend" / "dist"
    """Folder of the built web page; without it the gateway serves the API alone."""
    trusted_hosts: CommaSeparated = Field((), validation_alias="GENESIS_TRUSTED_HOSTS")
    """Host names that requests may name besides `localhost` and IP addresses; `*.example.org` stands for all below,
    `*` for any. Empty allows the names that nobody can register on the internet, and none over the loopback interface."""
    cors_origins: CommaSeparated = ()
    """Origins that browsers may call the API from; empty allows the gateway's own page only."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "text"] = "json"

    @field_validator("fetch_allowed_hosts", "cors_origins", "trusted_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().lower().rstrip("/") for part in value.split(",") if part.strip())
        return value

    @field_validator("trusted_hosts")
    @classmethod
    def _host_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name != "*" and not _HOST_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not a host name (genesis.example.org, *.example.org) without port")
        return value

    @field_validator(
        "openrouter_api_key",
        "huggingface_api_key",
        "openai_api_key",
        "replicate_api_token",
        "fal_key",
        "elevenlabs_api_key",
    )
    @classmethod
    def _no_blank_key(cls, value: SecretStr | None) -> SecretStr | None:
        key = value.get_secret_value().strip() if value else ""
        return None if not key or key.startswith(_PLACEHOLDER) else value

    @field_validator("llm_worker_url", "image_worker_url", "stt_worker_url", "tts_worker_url", "cyclegan_worker_url")
    @classmethod
    def _url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or ".." in parts.hostname:
            raise ValueError(f"{value!r} is not a URL of the form http://host:port")
        return value.rstrip("/")

    def is_default(self, name: str) -> bool:
        """Whether a URL is the one that it is when nobody sets it."""
        default: str = type(self).model_fields[name].default
        return bool(getattr(self, name).rstrip("/") == default.rstrip("/"))

    @classmethod
    def load(cls) -> Self:
        """Reads the environment.

        Raises:
            Misconfigured: a variable has a value that cannot be used; the message names it.
        """
        try:
            return cls()
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]).upper()
            raise Misconfigured(f"{name}: {first['msg']}", hint=_CORRECT) from None
        except SettingsError as error:
            name = str(error).partition('"')[2].partition('"')[0].upper()
            raise Misconfigured(f"{name}: it is not valid JSON ({error.__cause__}).", hint=_CORRECT) from None
