"""The calls of the API, version 1."""

from cropsvc.model import errors as e
from cropsvc.web.openapi.bodies import ENTRIES, SUBMITTED, TOKEN_WANTED
from cropsvc.web.openapi.call import (
    CROPPING,
    FAILED,
    GONE,
    OF_JOB,
    ONCE,
    PREFER,
    RANGE,
    SOURCE,
    TOKEN,
    UPLOADING,
    URL,
    WAITING,
    WEBHOOK,
    Call,
    Errors,
)
from cropsvc.web.openapi.responses import FILE_HEADERS, JSON, MADE, READ, Response
from cropsvc.web.openapi.schemas import BINARY, ref

JOB = {JSON: ref("Job")}
ZIP = "application/zip"
ZIP_HEADERS = ("Cache-Control", "Content-Length", "Repr-Digest", "Content-Disposition")
JOB_HEADERS = ("Cache-Control", "Retry-After", "Preference-Applied")
SUBMIT_HEADERS = ("Location", "Job-Token", "Vary")
FILES = (
    Response(206, "The part that `Range` asked for.", headers=(*FILE_HEADERS, "Content-Range")),
    Response(304, "Not modified: `If-None-Match` has the `ETag`.", headers=("ETag",)),
)
NOT_SENT: Errors = (e.RangeNotSatisfiable,)
OF_IMAGE: Errors = (*OF_JOB, e.Canceled, e.NotReady, *NOT_SENT, *FAILED)
ELSEWHERE = Response(
    307,
    "The image is at a signed URL that lives 60 s (`CROPSVC_BLOB_REDIRECT`).",
    headers=("Location", "Repr-Digest", "Cache-Control"),
)
PICTURE = Response(200, "The image.", MADE, FILE_HEADERS)

JOB_CALLS = (
    Call(
        "post",
        "/v1/crops",
        "submit",
        "Submit a crop",
        "The answer is 202 and the job, also if the job is done already. It is 200 and the image "
        "only if `Accept` names an image type, the request has `wait`, and the image is made in "
        "time.\n\n"
        "A wrong parameter, or an image whose header is wrong or over a limit, is refused at once, "
        "and nothing is queued. What only decoding can show becomes the job's `error`.\n\n"
        "The order of effect: EXIF orientation, `rotate`, `box`, clamp, `aspect`, `fit`, `size` "
        "and `enlarge`, `format`.",
        (
            Response(
                200,
                "The first output's bytes. Only if `Accept` names an image type (`image/jpeg` or "
                "`image/*`; `*/*` does not count) and the request has `wait` or `Prefer: wait=N`. "
                "If the job does not end in time, the answer is the 202. If it failed, it is a "
                "422, and if it was canceled, a 410.",
                MADE,
                (*FILE_HEADERS, *SUBMIT_HEADERS, "Preference-Applied"),
            ),
            Response(
                202,
                "The job, in every other case; `state` says whether it has ended. That is so after "
                "a `wait`, for a cached job, and for a repeat with the same `Idempotency-Key` too.",
                JOB,
                (*JOB_HEADERS, *SUBMIT_HEADERS),
                links=True,
            ),
        ),
        (*UPLOADING, e.Canceled, *FAILED, e.IdempotencyMismatch),
        (*CROPPING, SOURCE, URL, WEBHOOK, WAITING, PREFER, ONCE),
        SUBMITTED,
        example="curl -sS{key} -F image=@in.jpg -H 'Accept: image/*' "
        "'{url}/v1/crops?box=0,0,50%25,50%25&wait=10' -o out.jpg",
    ),
    Call(
        "post",
        "/v1/detect",
        "detect",
        "Detect where a crop would be placed",
        "Where `anchor=smart` or `anchor=face` would place the region, without making an image. "
        "It takes what a submit takes. Without an anchor it looks for faces if the server can. No "
        "job stays. If the queue is too long for an answer within 10 seconds, the answer is 429.",
        (
            Response(
                200, "The decision and the region.", {JSON: ref("Detection")}, ("Cache-Control",)
            ),
        ),
        (*UPLOADING, e.Canceled, *FAILED, e.IdempotencyMismatch),
        (*CROPPING, SOURCE, URL, WAITING, PREFER, ONCE),
        SUBMITTED,
        example="curl -sS{key} -F image=@in.jpg '{url}/v1/detect?aspect=1:1&anchor=smart'",
    ),
    Call(
        "get",
        "/v1/crops/{id}",
        "show_job",
        "Get a job",
        "With `wait`, the answer comes when the job has ended or the time is up. `done` is only "
        "shown when the bytes can be fetched.",
        (Response(200, "The job, canceled and failed ones too.", JOB, JOB_HEADERS),),
        OF_JOB,
        (WAITING, PREFER),
        example="curl -sS{key} '{url}/v1/crops/'$id'?wait=10'",
    ),
    Call(
        "get",
        "/v1/crops/{id}/image",
        "first_image",
        "Download the first output",
        "The image's bytes. `HEAD`, `Range` and `If-None-Match` work as usual.",
        (PICTURE, *FILES, ELSEWHERE),
        OF_IMAGE,
        (*RANGE, TOKEN),
        tag="Bytes",
        example="curl -sS{key} {url}/v1/crops/$id/image -o out.jpg",
    ),
    Call(
        "get",
        "/v1/crops/{id}/image/{name}",
        "image",
        "Download an output by its name",
        "The named output's bytes.",
        (PICTURE, *FILES, ELSEWHERE),
        OF_IMAGE,
        (*RANGE, TOKEN),
        tag="Bytes",
        example="curl -sS{key} {url}/v1/crops/$id/image/0 -o out.jpg",
    ),
    Call(
        "get",
        "/v1/crops/{id}/archive",
        "archive",
        "Download all outputs as one ZIP",
        "A ZIP (stored, streamed) of all outputs that are done.",
        (Response(200, "The ZIP.", {ZIP: BINARY}, ZIP_HEADERS),),
        (*OF_JOB, e.Canceled, e.NotReady, *FAILED),
        (TOKEN,),
        tag="Bytes",
        example="curl -sS{key} {url}/v1/crops/$id/archive -o crops.zip",
    ),
    Call(
        "post",
        "/v1/archive",
        "archive_of_many",
        "Download outputs of many jobs as one ZIP",
        "Up to 200 outputs. One that is gone or not done is listed in `missing.txt` inside.",
        (Response(200, "The ZIP.", {ZIP: BINARY}, ZIP_HEADERS),),
        (e.BadParameter, e.CrossSite, e.TooLarge, e.IncompleteUpload),
        body=ENTRIES,
        tag="Bytes",
        example="curl -sS{key} {url}/v1/archive "
        """-d '{"entries": [{"id": "'$id'"}]}' -o crops.zip""",
    ),
    Call(
        "get",
        "/v1/crops/{id}/source",
        "source",
        "Download the upload",
        "The upload's bytes while they are kept, as an attachment.",
        (Response(200, "The upload.", READ, FILE_HEADERS), *FILES),
        (*OF_JOB, *NOT_SENT),
        RANGE,
        tag="Bytes",
        example="curl -sS{key} {url}/v1/crops/$id/source -o again.jpg",
    ),
    Call(
        "get",
        "/v1/crops/{id}/events",
        "events",
        "Follow a job by events",
        "Server-Sent Events: the job at once, then each `progress`, one last `done`, `failed` or "
        "`canceled`, and the stream ends. Each event's `data` is the job's JSON; a comment every "
        "15 seconds shows that the line is up.",
        (Response(200, "The events.", {"text/event-stream": {}}, ("Cache-Control",)),),
        OF_JOB,
        (TOKEN,),
        example="curl -sSN{key} {url}/v1/crops/$id/events",
    ),
    Call(
        "post",
        "/v1/crops/{id}/webhook",
        "resend_webhook",
        "Send a webhook again",
        "Sends the message of a job that was submitted with `webhook` and has ended.",
        (Response(202, "It will be sent."),),
        (*OF_JOB, e.NotReady, e.CrossSite),
    ),
    Call(
        "post",
        "/v1/tokens",
        "make_token",
        "Make a token for a browser",
        "A token goes where an API key goes: `Authorization: Bearer <token>`. An upload token "
        "submits, and each submit answers a `Job-Token` that reads the new job. A token that reads "
        "a job also works as `token` in the query of `events`, `image` and `archive`.",
        (Response(201, "The token.", {JSON: ref("Token")}, ("Cache-Control",)),),
        (e.BadParameter, e.BadRequest, e.CrossSite, e.NotFound, *GONE, e.TooLarge),
        body=TOKEN_WANTED,
        example="""curl -sS{key} {url}/v1/tokens -d '{"lifetime": 300, "preset": "classic"}'""",
    ),
    Call(
        "delete",
        "/v1/crops/{id}",
        "delete_job",
        "Cancel or delete a job",
        "A queued job never runs. A running one is stopped within a second. Both are `canceled`. "
        "A job that has ended is removed. You may repeat the call. Results that another job shares "
        "stay.",
        (Response(204, "The job is canceled or removed."),),
        (*OF_JOB, e.CrossSite),
        example="curl -sS{key} -X DELETE {url}/v1/crops/$id",
    ),
)
