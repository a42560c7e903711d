"""Every call of the service, in the order of the page."""

from cropsvc.web.openapi.job_calls import JOB_CALLS
from cropsvc.web.openapi.operating_calls import OPERATING_CALLS
from cropsvc.web.openapi.page_calls import PAGE_CALLS

CALLS = (*JOB_CALLS, *PAGE_CALLS, *OPERATING_CALLS)
