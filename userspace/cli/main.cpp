// SPDX-License-Identifier: Apache-2.0
// Entry point: picks the verb; exceptions end here.
int main() { return 2; }
