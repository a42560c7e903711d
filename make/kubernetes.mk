# The check of deploy/kubernetes against the schemas of Kubernetes.
.PHONY: kubernetes

kubernetes: $(VENV)/installed-dev ## validate deploy/kubernetes against the schemas of Kubernetes 1.30 to 1.37
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/kubernetes
	@$(BIN)/uv pip sync --quiet --python build/kubernetes --require-hashes requirements/kubernetes.txt
	@build/kubernetes/bin/python -m tests.deploy.validate
