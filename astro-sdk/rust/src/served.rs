//! What answers the calls of a service: one macro for all of them, beneath the generated traits.

/// Makes the tonic service of a trait: each path leads to a method of it.
macro_rules! served {
    (
        $service:ident by $server:ident as $name:literal {
            $($path:literal $kind:ident $method:ident;)*
        }
    ) => {
        /// Serves the trait's implementation by gRPC.
        #[derive(Debug)]
        pub struct $server<T> {
            inner: std::sync::Arc<T>,
            most: Option<usize>,
        }

        impl<T> $server<T> {
            /// Serves this one.
            pub fn new(inner: T) -> Self {
                Self::from_arc(std::sync::Arc::new(inner))
            }

            /// Serves this one, which others have too.
            pub fn from_arc(inner: std::sync::Arc<T>) -> Self {
                Self { inner, most: None }
            }

            /// Refuses requests of more bytes; without it 4 MiB is the most.
            #[must_use]
            pub fn max_decoding_message_size(self, limit: usize) -> Self {
                Self { most: Some(limit), ..self }
            }
        }

        impl<T> Clone for $server<T> {
            fn clone(&self) -> Self {
                Self { inner: std::sync::Arc::clone(&self.inner), most: self.most }
            }
        }

        impl<T> tonic::server::NamedService for $server<T> {
            const NAME: &'static str = $name;
        }

        impl<T, B> tonic::codegen::Service<tonic::codegen::http::Request<B>> for $server<T>
        where
            T: $service,
            B: tonic::codegen::Body + Send + 'static,
            B::Error: Into<tonic::codegen::StdError> + Send + 'static,
        {
            type Response = tonic::codegen::http::Response<tonic::body::Body>;
            type Error = std::convert::Infallible;
            type Future = tonic::codegen::BoxFuture<Self::Response, Self::Error>;

            fn poll_ready(
                &mut self,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Result<(), Self::Error>> {
                std::task::Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: tonic::codegen::http::Request<B>) -> Self::Future {
                let (inner, most) = (std::sync::Arc::clone(&self.inner), self.most);
                match request.uri().path() {
                    $($path => Box::pin(async move {
                        let method = tower::service_fn(move |request| {
                            let inner = std::sync::Arc::clone(&inner);
                            async move { T::$method(&inner, request).await }
                        });
                        let grpc = tonic::server::Grpc::new(tonic_prost::ProstCodec::default());
                        let mut grpc = grpc.apply_max_message_size_config(most, None);
                        Ok(grpc.$kind(method, request).await)
                    }),)*
                    _ => Box::pin(async { Ok(tonic::Status::unimplemented("").into_http()) }),
                }
            }
        }
    };
}
