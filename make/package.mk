# The package for Python, and the tools that its tests need, in an environment of their own.
.PHONY: package
TOOLS := build/clients
DIST ?= build/dist

package: $(TOOLS)/installed ## build/dist: wheel and source archive, equal bytes for equal sources, checked by twine (DIST=path)
	@rm -rf "$(DIST)"
	@SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} \
		$(BIN)/uv build --quiet --no-build-isolation --no-config --python $(TOOLS)/bin/python --out-dir "$(DIST)"
	@$(TOOLS)/bin/twine --no-color check --strict "$(DIST)"/*.whl "$(DIST)"/*.tar.gz

$(TOOLS)/installed: requirements/clients.txt | $(VENV)/installed-dev
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(TOOLS)
	@$(BIN)/uv pip sync --quiet --python $(TOOLS) --require-hashes requirements/clients.txt
	@touch $@

# The tools of clients/js, as its lock has them.
.PHONY: types
JS_TOOLS := build/js

types: $(JS_TOOLS)/installed | $(VENV)/installed-dev ## generate the types of clients/js from the OpenAPI document again
	@$(BIN)/python -m cropsvc.web.openapi >$(JS_TOOLS)/openapi.json
	@REDOCLY_TELEMETRY=off $(JS_TOOLS)/node_modules/.bin/openapi-typescript \
		$(JS_TOOLS)/openapi.json -o $(or $(TYPES),clients/js/openapi.d.ts)

$(JS_TOOLS)/installed: clients/js/package.json clients/js/package-lock.json
	@mkdir -p $(JS_TOOLS) && cp $^ $(JS_TOOLS)
	@cd $(JS_TOOLS) && npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@
