"""boto3, found or missed in one place, and what it raises in one line each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from titanium.errors import TitaniumError, ToolMissingError, UsageError

if TYPE_CHECKING:
    import boto3

_CREDENTIALS = "Sign in: aws configure sso, or set AWS_PROFILE or AWS_ACCESS_KEY_ID."
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_UNKNOWN = {
    "AuthFailure",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
}


def session(region: str | None) -> boto3.Session:
    """A session in `region`, else in the one that is configured.

    ToolMissingError without boto3; UsageError without a region, credentials or a known profile.
    """
    try:
        import boto3
    except ImportError:
        raise ToolMissingError(
            "boto3 is not installed, and this command speaks to AWS with it",
            "Install it: make setup-aws",
        ) from None
    with speaking_to_aws():
        # Every other tool of AWS reads AWS_REGION; boto3 reads AWS_DEFAULT_REGION alone.
        made = boto3.Session(region_name=region or os.environ.get("AWS_REGION") or None)
        if made.region_name is None:
            raise UsageError(
                "no AWS region is set", "Give --region ap-northeast-2, or set AWS_REGION."
            )
        if made.region_name not in _regions(made):
            raise UsageError(
                f"AWS has no region {made.region_name}", "Such as --region ap-northeast-2."
            )
        if made.get_credentials() is None:
            raise UsageError("there are no AWS credentials", _CREDENTIALS)
    return made


def _regions(made: boto3.Session) -> set[str]:
    return {
        name
        for partition in made.get_available_partitions()
        for name in made.get_available_regions("ec2", partition_name=partition)
    }


@contextmanager
def speaking_to_aws() -> Iterator[None]:
    """Errors of botocore inside become a TitaniumError: one line, and what to do next."""
    from botocore import exceptions

    try:
        yield
    except exceptions.ClientError as error:
        raise _refused(error) from None
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as error:
        raise UsageError(f"there are no AWS credentials: {_line(error)}", _CREDENTIALS) from None
    except (exceptions.TokenRetrievalError, exceptions.SSOError, exceptions.LoginError) as error:
        raise UsageError(f"AWS sign-in is missing or over: {_line(error)}", _CREDENTIALS) from None
    except (
        exceptions.ConfigNotFound,
        exceptions.ConfigParseError,
        exceptions.InvalidConfigError,
    ) as error:
        raise UsageError(_line(error), "Correct it: ~/.aws/config, or AWS_CONFIG_FILE.") from None
    except (exceptions.ProfileNotFound, exceptions.NoRegionError) as error:
        raise UsageError(_line(error), "See ~/.aws/config, AWS_PROFILE and AWS_REGION.") from None
    except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
        raise TitaniumError(
            f"AWS cannot be reached: {_line(error)}", "Check the network and the region."
        ) from None
    except exceptions.BotoCoreError as error:
        raise TitaniumError(f"AWS's library refuses: {_line(error)}") from None
    except ValueError as error:
        if "endpoint" not in str(error):
            raise
        raise UsageError(_line(error), "Correct or unset AWS_ENDPOINT_URL.") from None


def _refused(error: Exception) -> TitaniumError:
    details = getattr(error, "response", {}).get("Error", {})
    code = str(details.get("Code", ""))
    operation = getattr(error, "operation_name", "a call")
    said = " ".join(str(details.get("Message", "")).split())
    if code in _EXPIRED:
        return UsageError("the AWS session has expired", _CREDENTIALS)
    if code in _UNKNOWN:
        return UsageError(f"AWS does not know these credentials ({code})", _CREDENTIALS)
    if "AccessDenied" in code or "Unauthorized" in code:
        return TitaniumError(
            f"AWS does not allow {operation}: {said:.200}",
            "Ask for the right, or use another role.",
        )
    return TitaniumError(f"AWS refused {operation}: {code}: {said:.200}")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
