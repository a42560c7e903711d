# The list of what is shipped.
.PHONY: sbom

sbom: $(VENV)/installed-dev ## build/sbom.json: what requirements.txt installs, as CycloneDX 1.6 (SBOM=path)
	@mkdir -p build
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/sbom
	@$(BIN)/uv pip sync --quiet --python build/sbom --require-hashes requirements.txt
	@$(BIN)/cyclonedx-py environment build/sbom --pyproject pyproject.toml --mc-type application \
		--output-reproducible --spec-version 1.6 --of JSON -o $(or $(SBOM),build/sbom.json) --validate
	@rm -rf build/sbom
	@echo "$(or $(SBOM),build/sbom.json)"
