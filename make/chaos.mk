# The chaos campaign's part of the Makefile.
.PHONY: chaos

chaos: $(VENV)/installed-dev ## kill, stop and restart everything under load, count what is lost (SHORT=1, SEED=7, QUEUE=celery, STORE=redis-server, OBJECTS=1)
	@$(BIN)/python -m tests.chaos --queue $(QUEUE) $(addprefix --store ,$(STORE)) $(if $(SHORT),--short) $(if $(OBJECTS),--objects) $(addprefix --seed ,$(SEED))
