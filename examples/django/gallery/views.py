"""One page: the form, and everybody so far."""

from django.conf import settings
from django.conf.urls.static import static
from django.forms import modelform_factory
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from gallery.models import Person

PersonForm = modelform_factory(Person, fields=["name", "portrait"])


def people(request: HttpRequest) -> HttpResponse:
    """Show the people, and add one."""
    form = PersonForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        return redirect("people")
    return render(request, "gallery/people.html", {"form": form, "people": Person.objects.all()})


urlpatterns = [
    path("", people, name="people"),
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
]
