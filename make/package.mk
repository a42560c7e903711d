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
