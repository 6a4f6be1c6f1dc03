// SPDX-License-Identifier: Apache-2.0
// Which names speak of secrets.
#include "base/secret_name.h"

#include <gtest/gtest.h>

#include <string>

namespace oomtrace {
namespace {

TEST(SecretName, knows_secrets_in_every_spelling) {
  for (const char* name : {"--token",
                           "HF_TOKEN",
                           "hf-token",
                           "access_token",
                           "authToken",
                           "--password",
                           "PGPASSWORD",
                           "db.passwd",
                           "DB_PASS",
                           "SECRET",
                           "client_secret",
                           "AWS_SECRET_ACCESS_KEY",
                           "WANDB_API_KEY",
                           "apikey",
                           "apiKey",
                           "api-keys",
                           "KEY",
                           "ssh_key",
                           "CREDENTIALS",
                           "GOOGLE_APPLICATION_CREDENTIALS",
                           "Authorization",
                           "Cookie",
                           "passphrase",
                           "MYTOKEN",
                           "AWS_ACCESS_KEY_ID",
                           "refresh_tokens",
                           "--pwd",
                           "X-Api-Key"}) {
    EXPECT_TRUE(is_secret_name(name)) << name;
  }
}

TEST(SecretName, leaves_the_words_of_training_programs_alone) {
  for (const char* name : {"",
                           "--",
                           "--tokenizer",
                           "TOKENIZERS_PARALLELISM",
                           "--max_tokens",
                           "max-new-tokens",
                           "--num_tokens",
                           "pad_token",
                           "--eos_token_id",
                           "image_token",
                           "--max-token",
                           "tokens_per_batch",
                           "token_count",
                           "--token_type",
                           "--text_key",
                           "image-key",
                           "--sort_key",
                           "keys",
                           "--keyword",
                           "keyboard",
                           "author",
                           "monkeys",
                           "passes",
                           "bypass",
                           "compass",
                           "--password-file",
                           "SSL_KEY_FILE",
                           "secretary_count",
                           "--lr",
                           "path",
                           "num_key_value_heads"}) {
    EXPECT_FALSE(is_secret_name(name)) << name;
  }
}

TEST(SecretName, overlong_names_are_judged_by_their_ends) {
  EXPECT_TRUE(is_secret_name(std::string(500, 'x') + "token"));
  EXPECT_FALSE(is_secret_name(std::string(500, 'x')));
}

TEST(SecretName, tells_switches) {
  EXPECT_TRUE(is_switch_name("--use_auth_token"));
  EXPECT_TRUE(is_switch_name("--no-password"));
  EXPECT_FALSE(is_switch_name("--token"));
  EXPECT_FALSE(is_switch_name("--"));
}

}  // namespace
}  // namespace oomtrace
