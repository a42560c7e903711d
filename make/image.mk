# The image for a registry. `make up` builds its own.
.PHONY: image
IMAGE ?= cropsvc

image: ## build the image (IMAGE=registry/name, REQUIREMENTS=requirements/celery.txt; PUSH=1: push it, PLATFORMS=...)
	@compose/build-image $(IMAGE)
