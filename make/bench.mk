# The benchmark's part of the Makefile.
.PHONY: bench

bench: $(VENV)/installed-dev ## ours against its peers, side by side (QUICK=1: 2 minutes; ROW=drain: one row)
	@$(BIN)/python -m bench $(if $(QUICK),--form quick) $(addprefix --row ,$(ROW))
