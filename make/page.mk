# The page's part of the Makefile.
CROPPER := cropperjs-1.6.3
CROPPER_SHA512 := BRb0PRIzjbfM5n+i6L2D85pSbXI/w6cnnwb9W9cRKgAmbiP+OjDeq+Irhd86IujZDXm/7JWECfscllFIdrlmfw==
CROPPER_DIR := cropsvc/web/static/vendor/cropperjs
AXE := axe-core-4.14.1
AXE_SHA512 := FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==
AXE_DIR := tests/browser/vendor

# $(call fetch,name-version,sha512): the npm package, unpacked into build/npm/name-version
fetch = cd build/npm && npm pack --silent $(call at,$(1)) >/dev/null && \
	test "$$(openssl dgst -sha512 -binary $(1).tgz | base64 -w0)" = "$(2)" && \
	mkdir $(1) && tar xzf $(1).tgz -C $(1) --strip-components 1
at = $(shell echo $(1) | sed 's/-\([0-9.]*\)$$/@\1/')

.PHONY: vendor screenshots

vendor: ## fetch Cropper.js and axe-core from npm again, pinned and checked
	rm -rf build/npm && mkdir -p build/npm $(CROPPER_DIR) $(AXE_DIR)
	$(call fetch,$(CROPPER),$(CROPPER_SHA512))
	$(call fetch,$(AXE),$(AXE_SHA512))
	cp $(addprefix build/npm/$(CROPPER)/,dist/cropper.min.js dist/cropper.min.css LICENSE) $(CROPPER_DIR)/
	cp build/npm/$(AXE)/axe.min.js $(AXE_DIR)/
	cp build/npm/$(AXE)/LICENSE $(AXE_DIR)/axe-LICENSE

screenshots: ## make docs/screenshots/ anew (needs Chromium)
	.venv/bin/python -m tests.browser.screenshots
