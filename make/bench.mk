# The benchmark's part of the Makefile.
.PHONY: bench bench-hosts

bench: $(VENV)/installed-dev ## ours against its peers, side by side (QUICK=1: 2 minutes; ROW=drain: one row)
	@$(BIN)/python -m bench $(if $(QUICK),--form quick) $(addprefix --row ,$(ROW))

bench-hosts: $(VENV)/installed-dev ## worker hosts on one Redis, in namespaces, 1 ms away (root; QUICK=1)
	@$(BIN)/python -m bench.hosts $(if $(QUICK),--quick)
