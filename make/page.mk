# The page's part of the Makefile.
CROPPER_VERSION := 1.6.3
CROPPER_SHA512 := BRb0PRIzjbfM5n+i6L2D85pSbXI/w6cnnwb9W9cRKgAmbiP+OjDeq+Irhd86IujZDXm/7JWECfscllFIdrlmfw==
CROPPER_DIR := cropsvc/static/vendor/cropperjs

.PHONY: vendor screenshots

vendor: ## fetch the page's Cropper.js from npm again, pinned and checked
	rm -rf build/vendor && mkdir -p build/vendor $(CROPPER_DIR)
	cd build/vendor && npm pack --silent cropperjs@$(CROPPER_VERSION)
	test "$$(openssl dgst -sha512 -binary build/vendor/cropperjs-$(CROPPER_VERSION).tgz | base64 -w0)" = "$(CROPPER_SHA512)"
	tar xzf build/vendor/cropperjs-$(CROPPER_VERSION).tgz -C build/vendor
	cp build/vendor/package/dist/cropper.min.js build/vendor/package/dist/cropper.min.css build/vendor/package/LICENSE $(CROPPER_DIR)/

screenshots: ## make docs/screenshots/ anew (needs Chromium)
	.venv/bin/python -m tests.browser.screenshots
