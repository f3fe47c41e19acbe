#!/bin/sh
# Removes from the environment $1 what no running program reads. Stripping alone makes it about a third smaller.
set -eu

# Debugging symbols and symbol tables that the loader does not need: of libraries, of ffmpeg and of Valkey.
# Why one file at a time: a file that `strip` refuses stays as it is.
find "$1" -type f \( -name '*.so' -o -name '*.so.*' -o -path '*/binaries/ffmpeg-*' -o -name 'valkey-server*' \) |
	while read -r file; do
		strip --strip-unneeded -o "$file.stripped" "$file" 2>/dev/null && cat "$file.stripped" > "$file"
		rm -f "$file.stripped"
	done

# What is needed only to compile against a package, and packages' own tests.
find "$1" -type f \( -name '*.a' -o -name '*.h' -o -name '*.hpp' -o -name '*.cuh' -o -name '*.pxd' -o -name '*.pyx' -o -name '*.pyi' \
	-o -name '*.c' -o -name '*.cc' -o -name '*.cpp' \) -delete
packages=$(echo "$1"/lib/python3*/site-packages)
rm -rf "$packages/torch/test" "$packages/torch/include" "$packages/torch/share" "$packages/torch/bin" \
	"$packages/torch/lib/libtorchbind_test.so" "$packages/torch/lib/libjitbackend_test.so" \
	"$packages/torch/lib/libbackend_with_compiler.so"
for package in blis numpy pandas preshed cymem murmurhash spacy srsly sympy thinc networkx; do
	if [ -d "$packages/$package" ]; then
		find "$packages/$package" -type d \( -name tests -o -name test \) -prune -exec rm -rf {} +
	fi
done
