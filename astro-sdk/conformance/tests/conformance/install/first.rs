use astro_sdk::Client;
use astro_sdk::v1::GetCallerRequest;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let caller = Client::from_env()?.access().get_caller(GetCallerRequest {}).await?;
    println!("{}", caller.api_key.unwrap_or_default().org_id);
    Ok(())
}
